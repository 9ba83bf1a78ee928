-- Where the queue of chores keeps its tables, apart from those of the domain: they come and go with the queue's library, whose own
-- migrations make them (postgres.Migrate applies both), and nothing of them is replicated or told to anybody.

-- +goose Up
CREATE SCHEMA jobs;

-- +goose Down
SELECT 1 / 0; -- forward only
