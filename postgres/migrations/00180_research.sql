-- What researchers were answered: a later question about nearly the same issues would tell of the few between both.

-- +goose Up
CREATE TABLE research_question (
    account  text NOT NULL CHECK (account <> ''),
    digest   bytea NOT NULL CHECK (length(digest) = 32), -- of measure and question
    measure  text NOT NULL,
    question jsonb NOT NULL,
    cells    int NOT NULL CHECK (cells >= 0),
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (account, digest)
);
CREATE INDEX research_question_asked ON research_question (account, asked_at);

SELECT audit.watch('research_question', 'account', 'digest');

-- +goose Down
SELECT 1 / 0; -- forward only
