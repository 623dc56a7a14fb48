"""The tables of the journal, and the rules that SQLite itself keeps, whatever program writes.

    intended -> submitted -> running -> done
                    any of the first three -> failed, cancelled -> intended, with another tag

Nothing is deleted, what is done stays as it is, and a job belongs to one intent.
"""

APPLICATION = 0x41524D4A  # "ARMJ"
VERSION = 3
STATES = ("intended", "submitted", "running", "done", "failed", "cancelled")
ALLOWED = (
    *(("intended", after) for after in ("submitted", "running", "failed", "cancelled")),
    *(("submitted", after) for after in ("running", "done", "failed", "cancelled")),
    *(("running", after) for after in ("done", "failed", "cancelled")),
    *((before, "intended") for before in ("failed", "cancelled")),
)

SCHEMA = f"""
CREATE TABLE intents (
    id TEXT PRIMARY KEY CHECK (length(id) = 64),
    task TEXT NOT NULL, step INTEGER NOT NULL, evaluation INTEGER NOT NULL,
    place TEXT NOT NULL,            -- the backend as it was asked for, and in which manner
    machine TEXT NOT NULL,          -- and as it was found
    instance TEXT NOT NULL DEFAULT '',  -- CRN of what is charged, and whose list has the job
    charges INTEGER NOT NULL,       -- whether its time is paid for
    circuits INTEGER NOT NULL, shots INTEGER NOT NULL, depth INTEGER NOT NULL, pairs INTEGER NOT NULL,
    estimate REAL NOT NULL,         -- seconds of the machine
    bound INTEGER NOT NULL,         -- seconds after which it ends the job
    pubs BLOB NOT NULL,             -- the circuits that are sent
    state TEXT NOT NULL CHECK (state IN {STATES}),
    attempt INTEGER NOT NULL DEFAULT 0,
    posts INTEGER NOT NULL DEFAULT 0,   -- requests that were about to be made for it, of this attempt
    boot TEXT NOT NULL DEFAULT '', posted REAL NOT NULL DEFAULT 0,  -- the last of them, since that start of the machine
    owner TEXT NOT NULL DEFAULT '', heard REAL NOT NULL DEFAULT 0,
    job TEXT REFERENCES jobs (job),
    reason TEXT NOT NULL DEFAULT '',
    result BLOB,
    made TEXT NOT NULL, changed TEXT NOT NULL,      -- by the clock on the wall, for people only
    about TEXT NOT NULL DEFAULT '',                 -- what it is of, for people only
    CHECK ((state = 'done') = (result IS NOT NULL)),
    CHECK (state NOT IN ('submitted', 'running', 'done') OR job IS NOT NULL)
) STRICT;
CREATE TABLE jobs (
    job TEXT PRIMARY KEY,
    intent TEXT NOT NULL REFERENCES intents (id),
    extra INTEGER NOT NULL,         -- made beside the one that counts, and cancelled
    bound INTEGER NOT NULL,
    used REAL                       -- seconds that were charged; NULL: not known yet
) STRICT;
CREATE TABLE posts (boot TEXT NOT NULL, at REAL NOT NULL) STRICT;
CREATE TABLE allowed (before TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (before, after)) STRICT;
CREATE TRIGGER one_way BEFORE UPDATE OF state ON intents
    WHEN OLD.state != NEW.state
     AND NOT EXISTS (SELECT 1 FROM allowed WHERE before = OLD.state AND after = NEW.state)
    BEGIN SELECT RAISE(ABORT, 'no such way from one state to the other'); END;
CREATE TRIGGER done_is_done BEFORE UPDATE ON intents
    WHEN OLD.state = 'done' AND (NEW.result IS NOT OLD.result OR NEW.job IS NOT OLD.job OR NEW.pubs IS NOT OLD.pubs)
    BEGIN SELECT RAISE(ABORT, 'what is done stays as it is'); END;
CREATE TRIGGER kept BEFORE DELETE ON intents BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER jobs_kept BEFORE DELETE ON jobs BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER one_intent BEFORE UPDATE OF intent ON jobs
    WHEN OLD.intent != NEW.intent BEGIN SELECT RAISE(ABORT, 'a job belongs to one intent'); END;
"""

UPGRADES = {  # from a version to the next
    1: "ALTER TABLE intents ADD COLUMN instance TEXT NOT NULL DEFAULT ''",
    2: "ALTER TABLE intents ADD COLUMN about TEXT NOT NULL DEFAULT ''",
}

SPENT = """
SELECT (SELECT COALESCE(SUM(bound), 0) FROM intents WHERE charges AND state = 'intended')
     + (SELECT COALESCE(SUM(COALESCE(jobs.used, jobs.bound)), 0) FROM jobs JOIN intents ON intents.id = jobs.intent
        WHERE intents.charges)
"""
