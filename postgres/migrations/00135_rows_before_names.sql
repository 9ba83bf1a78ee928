-- Whether somebody may add an attestation at all is decided by the policies of the rows, before it is asked whom it names: rules before the
-- insert would answer first, and answer whoever may not ask.

-- +goose Up
DROP TRIGGER attestation_names_who_took_it_down ON attestation;
CREATE TRIGGER attestation_names_who_took_it_down AFTER INSERT ON attestation FOR EACH ROW EXECUTE FUNCTION attestation_names_who_took_it_down();

-- +goose Down
SELECT 1 / 0; -- forward only
