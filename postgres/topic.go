package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// topicChores read the words of opinions.
func (db *DB) topicChores() []groundwork.Chore {
	return []groundwork.Chore{{Name: "opinion_words", Every: time.Minute, Run: db.readWords}}
}

// saidRow is what an opinion says.
type saidRow struct {
	ID   uuid.UUID
	Text string
}

// readWords reads a batch of opinions that were not read yet, the newest first. Opinions are locked before what waits of them, as retention does.
func (db *DB) readWords(ctx context.Context, _ time.Time) (int, error) {
	var read int
	_, err := db.write(ctx, groundwork.System, "read the words of opinions", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('opinion_words'))"); err != nil {
			return err
		}
		waiting, err := scalars[uuid.UUID](ctx, tx, "find opinions to read", "SELECT opinion_id FROM opinion_unread ORDER BY opinion_id DESC LIMIT @limit", pgx.NamedArgs{"limit": choreBatch})
		if err != nil || len(waiting) == 0 {
			return err
		}
		said, err := collect[saidRow](ctx, tx, "read opinions", `SELECT id, subject || ' ' || text AS text FROM opinion WHERE id = ANY(@ids) AND redacted_at IS NULL ORDER BY id FOR KEY SHARE`,
			pgx.NamedArgs{"ids": waiting})
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for _, o := range said {
			args := pgx.NamedArgs{"id": o.ID, "words": groundwork.Words(o.Text), "reader": groundwork.WordReader, "anonymous": groundwork.Anonymous.ID}
			batch.Queue(`INSERT INTO opinion_terms (opinion_id, day, received_at, region_id, reporter_pid, terms, reader)
				SELECT id, to_char(received_at AT TIME ZONE 'UTC', 'YYYYMMDD')::int, received_at, region_id, CASE WHEN recorded_by <> @anonymous THEN reporter_pid END,
					terms_of(coalesce(@words::text[], '{}')), @reader FROM opinion WHERE id = @id
				ON CONFLICT (opinion_id) DO UPDATE SET terms = excluded.terms, reader = excluded.reader`, args)
		}
		batch.Queue("DELETE FROM opinion_unread WHERE opinion_id = ANY(@ids)", pgx.NamedArgs{"ids": waiting}) // those that lost their words meanwhile too
		read = len(waiting)
		return tx.SendBatch(ctx, batch).Close()
	})
	return read, err
}

// TopicWords implements groundwork.TopicStore. No list of words is kept: they are read again where they stand.
func (db *DB) TopicWords(ctx context.Context, opinionIDs []uuid.UUID) (map[int64]string, error) {
	texts, err := scalars[string](ctx, db.reads(), "read opinions", "SELECT subject || ' ' || text FROM opinion WHERE id = ANY(@ids)", pgx.NamedArgs{"ids": distinct(opinionIDs)})
	if err != nil {
		return nil, err
	}
	words := []string{}
	for _, text := range texts {
		words = append(words, groundwork.Words(text)...)
	}
	type termRow struct {
		Term int64
		Word string
	}
	found, err := collect[termRow](ctx, db.reads(), "look up words", "SELECT term, word FROM topic_words(@words, @ids)", pgx.NamedArgs{"words": distinct(words), "ids": distinct(opinionIDs)})
	of := make(map[int64]string, len(found))
	for _, f := range found {
		of[f.Term] = f.Word
	}
	return of, err
}

// UnreadOpinions implements groundwork.TopicStore.
func (db *DB) UnreadOpinions(ctx context.Context, limit int) (groundwork.Count, error) {
	n, err := scalars[int](ctx, db.reads(), "count unread opinions", "SELECT unread_opinions(@limit)", pgx.NamedArgs{"limit": limit + 1})
	if err != nil {
		return groundwork.Count{}, err
	}
	return groundwork.Count{Value: min(n[0], limit), Capped: n[0] > limit}, nil
}
