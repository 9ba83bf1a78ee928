-- Criteria of campaigns and outcomes of policies may be of E1B and E1C too, as measures on record and targets are.

-- +goose Up
ALTER TABLE campaign_criterion DROP CONSTRAINT campaign_criterion_measure_check, ADD CONSTRAINT campaign_criterion_measure_check CHECK (measure ~ '^[A-Z][0-9]{1,2}[A-Z]?$');
ALTER TABLE policy_change DROP CONSTRAINT policy_change_outcome_measure_check, ADD CONSTRAINT policy_change_outcome_measure_check CHECK (outcome_measure ~ '^[A-Z][0-9]{1,2}[A-Z]?$');

-- +goose Down
SELECT 1 / 0; -- forward only
