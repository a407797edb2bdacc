-- Who wrote a note last, as its source tells.
ALTER TABLE notes ADD COLUMN author text;

-- Notes and files that a passage leads to, by path.
ALTER TABLE chunks ADD COLUMN links text[] NOT NULL DEFAULT '{}';

-- What is known of the file of a note: enough to tell without reading it whether it says what it said. A row whose hash is not the note's was
-- overtaken by a release that does not know this table.
CREATE TABLE vault_files (
    path     text    PRIMARY KEY REFERENCES notes ON DELETE CASCADE,
    hash     text    NOT NULL,
    stamp    text    NOT NULL,
    content  text    NOT NULL,
    parser   integer NOT NULL,
    -- What its links were asked for, and what was found: [[from, target, file, found], …].
    refs     jsonb   NOT NULL,
    depends  text[]  NOT NULL,
    pictures jsonb   NOT NULL
);

-- What is wrong in the notes. Those of a note (of_note) stay until it is read again, the others are found anew by each import.
CREATE TABLE vault_problems (
    id       bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    path     text     NOT NULL,
    line     integer  NOT NULL,
    -- 0 info, 1 warning, 2 error
    severity smallint NOT NULL,
    what     text     NOT NULL,
    of_note  boolean  NOT NULL
);
CREATE INDEX vault_problems_path ON vault_problems (path);

-- One row: the source of the notes and what was taken from it last.
CREATE TABLE vault_sync (
    only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    -- Counts the requests to look at the source now.
    wanted   bigint      NOT NULL DEFAULT 0,
    source   text,
    -- A commit; none for a folder.
    version  text,
    settings text,
    -- When the notes were last found to be those of the source.
    at       timestamptz,
    -- Why the last look failed.
    error    text
);
INSERT INTO vault_sync DEFAULT VALUES;

-- Pushes that were told of, so that one that is told of twice is noticed.
CREATE TABLE vault_pushes (
    delivery text        PRIMARY KEY,
    at       timestamptz NOT NULL
);
