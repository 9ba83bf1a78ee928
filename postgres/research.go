package postgres

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

// Research implements groundwork.ResearchStore.
func (db *DB) Research(ctx context.Context, by groundwork.Actor, since time.Time, answer func([]groundwork.ResearchQuestion) (*groundwork.ResearchQuestion, error)) error {
	_, err := db.write(ctx, by, "ask as a researcher", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(@account, 10))", pgx.NamedArgs{"account": by.ID}); err != nil {
			return err
		}
		before, err := collect[groundwork.ResearchQuestion](ctx, tx, "read what was asked before", `SELECT measure, question, cells, asked_at FROM research_question
			WHERE account = @account AND asked_at >= @since ORDER BY asked_at, digest`, pgx.NamedArgs{"account": by.ID, "since": since})
		if err != nil {
			return err
		}
		asked, err := answer(before)
		if err != nil || asked == nil {
			return err
		}
		digest := sha256.Sum256([]byte(asked.Measure + "\n" + string(asked.Question)))
		_, err = tx.Exec(ctx, `INSERT INTO research_question (account, digest, measure, question, cells, asked_at)
			VALUES (@account, @digest, @measure, @question, @cells, @now) ON CONFLICT DO NOTHING`, // asked longer ago than since
			pgx.NamedArgs{"account": by.ID, "digest": digest[:], "measure": asked.Measure, "question": asked.Question, "cells": asked.Cells, "now": db.now()})
		return err
	})
	return err
}
