-- What the notes do not answer, and what people think of answers.

-- The earlier question that this one goes on from, and the version of the notes that answered.
ALTER TABLE queries ADD COLUMN context text;
ALTER TABLE queries ADD COLUMN revision bigint NOT NULL DEFAULT 0;
CREATE INDEX queries_person ON queries (person, id DESC);

CREATE TABLE feedback (
    query  bigint      NOT NULL REFERENCES queries ON DELETE CASCADE,
    person bigint      NOT NULL REFERENCES people,
    place  integer     NOT NULL,
    good   boolean     NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (query, person)
);

-- A search that was no help: nothing was found, it was not it, or a human was asked. It outlives the search.
CREATE TABLE gaps (
    query     bigint      PRIMARY KEY,
    person    bigint      NOT NULL REFERENCES people,
    text      text        NOT NULL,
    why       text        NOT NULL CHECK (why IN ('unanswered', 'disliked', 'asked')),
    at        timestamptz NOT NULL,
    closed_by bigint      REFERENCES people,
    closed_at timestamptz,
    CHECK ((closed_by IS NULL) = (closed_at IS NULL))
);
CREATE INDEX gaps_open ON gaps (query) WHERE closed_at IS NULL;

-- Words and phrases that a note answers before anything is searched.
CREATE TABLE fixed_answers (
    note   text NOT NULL REFERENCES notes ON DELETE CASCADE,
    phrase text NOT NULL,
    PRIMARY KEY (note, phrase)
);
