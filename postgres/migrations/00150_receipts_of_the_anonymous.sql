-- Those without an account share one actor in mutation_receipt, so that two people with the same clientMutationId and the same words were
-- taken for one, and the second opinion was lost. What they call a request must be what nobody else calls theirs: a random UUID.

-- +goose Up
ALTER TABLE mutation_receipt ADD CONSTRAINT mutation_receipt_unguessable CHECK (actor <> 'anonymous'
    OR client_mutation_id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') NOT VALID;

-- +goose Down
SELECT 1 / 0; -- forward only
