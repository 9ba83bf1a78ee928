-- Mirrors of the calendar of working days, and of what the comparison of notes found, for measures Q1, Q3 and F3
-- (postgres/migrations/00200_calendar_and_notes.sql). The text of notes stays in the system of record.

-- +goose Up
CREATE TABLE d_calendar_day{{.OnCluster}} (
    day Int32, is_workday Bool,
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY day SETTINGS {{.Durable}};

CREATE TABLE f_note_check{{.OnCluster}} (
    visit_id UUID, source_id Nullable(UUID), whose LowCardinality(Nullable(String)), containment Float64, shingles Int32, copied Bool, detector Int32, checked_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY visit_id SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
