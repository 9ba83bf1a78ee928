-- Loads of whole systems of record at once, such as a simulated province. A load may be interrupted and goes on where it stopped:
-- what it has loaded, and which indexes it has put aside until it is done, is kept here in the same transactions.

-- +goose Up
CREATE TABLE bulk_load (
    id           uuid PRIMARY KEY,
    source       text NOT NULL CHECK (source <> ''),
    parameters   jsonb NOT NULL,
    parts        int NOT NULL CHECK (parts >= 0),
    first_ref    bigint NOT NULL,
    appends      boolean NOT NULL,
    index_names  text[] NOT NULL DEFAULT '{}',
    index_defs   text[] NOT NULL DEFAULT '{}',
    started_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    recorded_by  text NOT NULL DEFAULT current_user,
    CHECK (cardinality(index_names) = cardinality(index_defs))
);
CREATE UNIQUE INDEX bulk_load_unfinished ON bulk_load ((true)) WHERE finished_at IS NULL;
COMMENT ON COLUMN bulk_load.parameters IS 'All that the data follow from: the same parameters give the same data.';
COMMENT ON COLUMN bulk_load.first_ref IS 'Number of the public reference of the first issue; the numbers behind it are taken.';
COMMENT ON COLUMN bulk_load.index_defs IS 'Indexes that were dropped for the load and are made again at its end.';

CREATE TABLE bulk_load_part (
    bulk_load_id uuid NOT NULL REFERENCES bulk_load ON DELETE CASCADE,
    part         int NOT NULL,
    loaded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bulk_load_id, part)
);

-- +goose Down
SELECT 1 / 0; -- forward only
