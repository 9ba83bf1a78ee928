-- The mirror of the terms of opinions (postgres/migrations/00380_words_of_opinions.sql): hashes by a key that stays in the system of record. It is sorted by
-- day, so that a window of some days is read by itself.

-- +goose Up
CREATE TABLE f_opinion_terms{{.OnCluster}} (
    opinion_id UUID, day Int32, received_at DateTime64(6, 'UTC'), region_id Nullable(UUID), reporter_pid Nullable(UUID), terms Array(Int64), reader Int32,
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (day, opinion_id) SETTINGS {{.Durable}};
ALTER TABLE f_opinion_terms{{.OnCluster}} MODIFY SETTING {{.AtRest}};

-- +goose Down
SELECT throwIf(1, 'forward only');
