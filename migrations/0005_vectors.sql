-- Vectors of passages, a set for each model, and what notes are about.

CREATE TABLE embedding_models (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- With a hash of the model and of the way it is used.
    name      text    NOT NULL,
    dimension integer NOT NULL CHECK (dimension BETWEEN 1 AND 16000),
    -- How it is loaded: a process that wants another model serves with this one until the other's vectors are complete.
    options   jsonb   NOT NULL,
    -- Every passage had a vector once; new ones get theirs within moments.
    complete  boolean NOT NULL DEFAULT false,
    UNIQUE (name, dimension)
);

CREATE TABLE vectors (
    model  integer NOT NULL REFERENCES embedding_models ON DELETE CASCADE,
    chunk  bigint  NOT NULL REFERENCES chunks ON DELETE CASCADE,
    -- Of length 1. Models differ in dimension; an index casts to its model's own.
    vector vector  NOT NULL,
    PRIMARY KEY (model, chunk)
);
CREATE INDEX vectors_chunk ON vectors (chunk);

CREATE TABLE note_subjects (
    note     text   PRIMARY KEY REFERENCES notes ON DELETE CASCADE,
    devices  text[] NOT NULL,
    vehicles text[] NOT NULL
);
