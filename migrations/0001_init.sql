-- Entities. Times are set by the application's clock unless a column has a default.

CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE people (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint      NOT NULL UNIQUE,
    name       text        NOT NULL,
    role       text        NOT NULL DEFAULT 'client' CHECK (role IN ('client', 'technician', 'manager', 'admin')),
    locale     text        NOT NULL CHECK (locale IN ('ru', 'kk', 'en')),
    onboarded  boolean     NOT NULL DEFAULT false,
    removed    boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
CREATE INDEX people_staff ON people (role, id) WHERE role <> 'client';

-- person is null for groups: only a private chat is somebody's address.
CREATE TABLE chats (
    bot       bigint      NOT NULL,
    chat      bigint      NOT NULL,
    person    bigint      REFERENCES people,
    blocked   boolean     NOT NULL DEFAULT false,
    last_seen timestamptz NOT NULL,
    PRIMARY KEY (bot, chat)
);
CREATE INDEX chats_person ON chats (person, last_seen DESC) WHERE person IS NOT NULL;

-- Only the SHA-256 of a token is kept: who reads the database cannot redeem it.
CREATE TABLE invites (
    hash       bytea       PRIMARY KEY CHECK (octet_length(hash) = 32),
    role       text        NOT NULL CHECK (role IN ('client', 'technician', 'manager', 'admin')),
    expires_at timestamptz NOT NULL,
    created_by bigint      REFERENCES people,
    created_at timestamptz NOT NULL,
    used_by    bigint      REFERENCES people,
    used_at    timestamptz,
    CHECK ((used_by IS NULL) = (used_at IS NULL))
);

-- thread 0 is a chat without topics.
CREATE TABLE dialogues (
    bot        bigint      NOT NULL,
    chat       bigint      NOT NULL,
    thread     bigint      NOT NULL DEFAULT 0,
    version    integer     NOT NULL,
    state      jsonb       NOT NULL,
    rev        bigint      NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bot, chat, thread)
);

-- A message keeps its slot after the slot moved on, so that a reply to an old message still means something.
CREATE TABLE message_slots (
    bot     bigint  NOT NULL,
    chat    bigint  NOT NULL,
    message bigint  NOT NULL,
    slot    text    NOT NULL,
    kind    text    NOT NULL CHECK (kind IN ('text', 'media')),
    current boolean NOT NULL,
    PRIMARY KEY (bot, chat, message)
);
CREATE UNIQUE INDEX message_slots_current ON message_slots (bot, chat, slot) WHERE current;

CREATE TABLE vehicles (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind IN ('plate', 'vin')),
    number     text        NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (kind, number)
);

CREATE TABLE jobs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vehicle    bigint      NOT NULL REFERENCES vehicles,
    technician bigint      NOT NULL REFERENCES people,
    status     text        NOT NULL CHECK (status IN ('open', 'in_progress', 'on_hold', 'complete')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX jobs_vehicle ON jobs (vehicle, id DESC);
CREATE INDEX jobs_open ON jobs (technician, id DESC) WHERE status <> 'complete';

CREATE TABLE notes (
    path       text        PRIMARY KEY,
    hash       text        NOT NULL,
    title      text        NOT NULL,
    aliases    text[]      NOT NULL,
    tags       text[]      NOT NULL,
    lang       text,
    visibility smallint    NOT NULL,
    kind       text        NOT NULL,
    modified   timestamptz NOT NULL,
    links      text[]      NOT NULL,
    -- Jargon and meaning, of a glossary: [["мак", "MAC-адрес"], …].
    terms      jsonb       NOT NULL,
    -- Title and aliases in lower case, made by the application: the database's own lower() depends on its locale.
    needle     text        NOT NULL
);

CREATE TABLE chunks (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note       text     NOT NULL REFERENCES notes ON DELETE CASCADE,
    headings   text[]   NOT NULL,
    start_line integer  NOT NULL,
    end_line   integer  NOT NULL,
    body       jsonb    NOT NULL,
    text       text     NOT NULL,
    images     text[]   NOT NULL
);
CREATE INDEX chunks_note ON chunks (note, id);

-- One row: counts the changes of the vault, so that a cached index knows whether it is behind.
CREATE TABLE vault_revision (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL
);
INSERT INTO vault_revision (revision) VALUES (0);

-- Versions are kept for ever: a walk is pinned to the one it began with.
CREATE TABLE procedures (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note       text        NOT NULL,
    hash       text        NOT NULL,
    title      text        NOT NULL,
    needle     text        NOT NULL,
    locale     text        NOT NULL CHECK (locale IN ('ru', 'kk', 'en')),
    visibility smallint    NOT NULL,
    steps      integer     NOT NULL,
    duration   integer,
    body       jsonb       NOT NULL,
    current    boolean     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (note, hash)
);
CREATE UNIQUE INDEX procedures_current ON procedures (note) WHERE current;

CREATE TABLE runs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person     bigint      NOT NULL REFERENCES people,
    job        bigint      REFERENCES jobs,
    procedure  bigint      NOT NULL REFERENCES procedures,
    status     text        NOT NULL CHECK (status IN ('active', 'paused', 'done', 'abandoned')),
    state      jsonb       NOT NULL,
    step       integer     NOT NULL,
    of         integer     NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX runs_open ON runs (person, id DESC) WHERE status IN ('active', 'paused');
CREATE INDEX runs_job ON runs (job, id) WHERE job IS NOT NULL;

CREATE TABLE photos (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job       bigint      REFERENCES jobs,
    run       bigint      REFERENCES runs,
    step      text,
    caption   text,
    bot       bigint      NOT NULL,
    file_id   text        NOT NULL,
    unique_id text        NOT NULL,
    size      bigint      NOT NULL,
    by        bigint      NOT NULL REFERENCES people,
    at        timestamptz NOT NULL,
    CHECK (job IS NOT NULL OR run IS NOT NULL)
);
CREATE INDEX photos_job ON photos (job, id) WHERE job IS NOT NULL;
CREATE INDEX photos_run ON photos (run, id) WHERE run IS NOT NULL;

CREATE TABLE faults (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by        bigint      NOT NULL REFERENCES people,
    by_name   text        NOT NULL,
    job       bigint      REFERENCES jobs,
    run       bigint      REFERENCES runs,
    step      text,
    note      text        NOT NULL,
    photos    text[]      NOT NULL,
    at        timestamptz NOT NULL,
    closed_by bigint      REFERENCES people,
    closed_at timestamptz
);
CREATE INDEX faults_open ON faults (id DESC) WHERE closed_at IS NULL;

CREATE TABLE questions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by          bigint      NOT NULL REFERENCES people,
    by_name     text        NOT NULL,
    text        text        NOT NULL,
    tried       text[]      NOT NULL,
    at          timestamptz NOT NULL,
    answer      text,
    answered_by bigint      REFERENCES people,
    answered_at timestamptz,
    -- The search that did not help: pressed twice, it is still one question.
    query       bigint      UNIQUE
);
CREATE INDEX questions_open ON questions (id) WHERE answer IS NULL;

CREATE TABLE queries (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person bigint      NOT NULL REFERENCES people,
    text   text        NOT NULL,
    hits   jsonb       NOT NULL,
    at     timestamptz NOT NULL
);

-- unique_id names a file everywhere, file_id fetches it by this bot only; blob is its content hash once it is in the file store.
CREATE TABLE telegram_files (
    bot       bigint NOT NULL,
    unique_id text   NOT NULL,
    file_id   text   NOT NULL,
    size      bigint NOT NULL,
    blob      text,
    PRIMARY KEY (bot, unique_id)
);
CREATE INDEX telegram_files_missing ON telegram_files (bot) WHERE blob IS NULL;

-- What a bot has sent before: the same picture is not uploaded twice.
CREATE TABLE uploads (
    bot     bigint NOT NULL,
    blob    text   NOT NULL,
    file_id text   NOT NULL,
    PRIMARY KEY (bot, blob)
);

CREATE TABLE audit (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor  bigint      REFERENCES people,
    verb   text        NOT NULL,
    object text        NOT NULL,
    old    jsonb,
    new    jsonb,
    at     timestamptz NOT NULL
);
CREATE INDEX audit_object ON audit (object, id);
