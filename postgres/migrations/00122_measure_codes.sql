-- Codes of measures may end with a letter, as E1C, which goes with E1.

-- +goose Up
ALTER TABLE measure_definition DROP CONSTRAINT measure_definition_code_check, ADD CONSTRAINT measure_definition_code_check CHECK (code ~ '^[A-Z][0-9]{1,2}[A-Z]?$');
ALTER TABLE target DROP CONSTRAINT target_measure_check, ADD CONSTRAINT target_measure_check CHECK (measure ~ '^[A-Z][0-9]{1,2}[A-Z]?$');

-- +goose Down
SELECT 1 / 0; -- forward only
