-- Whoever follows what changes must miss nothing (docs/decisions/0320-subscriptions.md). Times of rows do not say in which order their
-- transactions ended; the number of the transaction, asked of a snapshot, says what was not there before. Rows of before this migration have none,
-- and what is loaded in bulk has none: it is news to nobody.

-- +goose Up
ALTER TABLE issue_event ADD COLUMN txid xid8;
ALTER TABLE issue_event ALTER COLUMN txid SET DEFAULT CASE WHEN current_setting('session_replication_role') <> 'replica' THEN pg_current_xact_id() END;
COMMENT ON COLUMN issue_event.txid IS 'The transaction that wrote it, for subscriptions; null = told to nobody.';
CREATE INDEX issue_event_txid ON issue_event (txid) WHERE txid IS NOT NULL;

ALTER TABLE notification ADD COLUMN txid xid8;
ALTER TABLE notification ALTER COLUMN txid SET DEFAULT pg_current_xact_id();
COMMENT ON COLUMN notification.txid IS 'The transaction that wrote it, for subscriptions.';
CREATE INDEX notification_txid ON notification (txid) WHERE txid IS NOT NULL;

-- +goose Down
SELECT 1 / 0; -- forward only
