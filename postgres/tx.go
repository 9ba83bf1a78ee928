package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"groundwork"
)

// maxTries bounds how often a transaction that lost a race is done again.
const maxTries = 5

// write runs f in one transaction and answers when it is durable, with the position of the log behind it. A transaction that lost
// a race is done again; f must therefore leave nothing behind but what the transaction holds.
func (db *DB) write(ctx context.Context, by groundwork.Actor, op string, f func(pgx.Tx) error) (groundwork.Receipt, error) {
	return db.writeAt(ctx, by, op, nil, f)
}

// writeAt is write of a new thing that will lie at place, to say why it is refused.
func (db *DB) writeAt(ctx context.Context, by groundwork.Actor, op string, place *uuid.UUID, f func(pgx.Tx) error) (groundwork.Receipt, error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return groundwork.Receipt{}, unreachable(err)
	}
	defer conn.Release()
	for try := 1; ; try++ {
		receipt, err := attempt(ctx, conn.Conn(), by, op, f)
		if err == nil {
			return receipt, nil
		}
		if !lostRace(err) || try == maxTries {
			return groundwork.Receipt{}, db.refusal(ctx, by, op, place, err)
		}
		db.log.DebugContext(ctx, "transaction lost a race, doing it again", "operation", op, "try", try)
		if err := pause(ctx, try); err != nil {
			return groundwork.Receipt{}, translate(op, err)
		}
	}
}

// attempt is one try of a transaction. Its identity travels with its beginning, and the question for the end of the log with its commit.
func attempt(ctx context.Context, conn *pgx.Conn, by groundwork.Actor, op string, f func(pgx.Tx) error) (groundwork.Receipt, error) {
	begin, err := beginAs(conn, by, op)
	if err != nil {
		return groundwork.Receipt{}, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
	if err != nil {
		return groundwork.Receipt{}, err
	}
	if err := f(tx); err != nil {
		return groundwork.Receipt{}, errors.Join(err, tx.Rollback(ctx))
	}
	return commit(ctx, conn)
}

// commit ends the transaction and reads the end of the log, which lies behind it.
func commit(ctx context.Context, conn *pgx.Conn) (receipt groundwork.Receipt, err error) {
	batch := &pgx.Batch{}
	batch.Queue("commit")
	batch.Queue("SELECT (pg_current_wal_insert_lsn() - '0/0')::int8")
	results := conn.SendBatch(ctx, batch)
	defer func() {
		if err != nil && conn.PgConn().TxStatus() != 'I' {
			_ = conn.Close(ctx) // err is what there is to say
		}
	}()
	tag, err := results.Exec()
	if err != nil {
		_ = results.Close() // says err again
		return receipt, err
	}
	if tag.String() == "ROLLBACK" {
		return receipt, errors.Join(pgx.ErrTxCommitRollback, results.Close())
	}
	var lsn int64
	if err := errors.Join(results.QueryRow().Scan(&lsn), results.Close()); err != nil {
		return receipt, translate("read the position of the log (what was asked is done)", err)
	}
	return groundwork.Receipt{LSN: uint64(lsn)}, nil
}

func pause(ctx context.Context, try int) error {
	select {
	case <-time.After(time.Duration(rand.IntN(5<<try)) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func lostRace(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	// The second of two equal requests waits for the first, then finds its answer.
	return ok && (pg.Code == "40001" || pg.Code == "40P01" || pg.ConstraintName == "mutation_receipt_pkey")
}

// querier is a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// collect runs a query and reads all rows into structs by their columns' names.
func collect[T any](ctx context.Context, q querier, op, sql string, args pgx.NamedArgs) ([]T, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return nil, translate(op, err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		return nil, translate(op, err)
	}
	return items, nil
}

// scalars runs a query of one column.
func scalars[T any](ctx context.Context, q querier, op, sql string, args pgx.NamedArgs) ([]T, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return nil, translate(op, err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		return nil, translate(op, err)
	}
	return items, nil
}

// one runs a query that finds one row or none.
func one[T any](ctx context.Context, q querier, op, sql string, args pgx.NamedArgs) (*T, error) {
	items, err := collect[T](ctx, q, op, sql, args)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	return &items[0], nil
}

// insert adds a row with the columns of args and reads back the columns of T.
func insert[T any](ctx context.Context, q querier, table, columns string, args pgx.NamedArgs) (*T, error) {
	return one[T](ctx, q, "add to "+table, insertSQL(table, args)+" RETURNING "+columns, args)
}

// insertSQL is the same text for the same columns, whatever order the map gives them in: a statement is parsed and described once for a connection.
func insertSQL(table string, args pgx.NamedArgs) string {
	names := slices.Sorted(maps.Keys(args))
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (@%s)", table, strings.Join(names, ", "), strings.Join(names, ", @"))
}

// keyDetail reads which key broke a foreign key, and of which table. Of tables under row-level security Postgres tells the table alone.
var keyDetail = regexp.MustCompile(`^Key (?:\((\w+)\)=\(([^)]*)\) )?is not present in table "(\w+)"`)

// translate turns what the database says into what a caller can act on. What is not its fault stays as it is, wrapped.
func translate(op string, err error) error {
	if _, ok := errors.AsType[*groundwork.Error](err); ok {
		return err
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
			return unreachable(err)
		}
		return fmt.Errorf("%s: %w", op, err)
	}
	refuse := func(code groundwork.Code, field, message string) error {
		return &groundwork.Error{Code: code, Field: field, Message: message, Err: fmt.Errorf("%s: %w", op, err)}
	}
	switch {
	case pg.Code == "23505":
		return refuse(groundwork.CodeConflict, uniqueField(pg), uniqueMessage(pg))
	case pg.Code == "23503":
		if m := keyDetail.FindStringSubmatch(pg.Detail); m != nil {
			column, thing := m[1], called(m[3])+" "+m[2]
			if column == "" {
				column, thing = strings.TrimSuffix(strings.TrimPrefix(pg.ConstraintName, pg.TableName+"_"), "_fkey"), "the "+called(m[3])
			}
			return refuse(groundwork.CodeInvalid, camel(column), thing+" does not exist; create it first or give another")
		}
		return refuse(groundwork.CodeConflict, "", op+": something else still refers to it")
	case pg.Code == "23514" || pg.Code == "23502":
		return refuse(groundwork.CodeInvalid, camel(pg.ColumnName), fmt.Sprintf("%s: the value breaks the rule %s of %s", op, pg.ConstraintName+pg.ColumnName, pg.TableName))
	case pg.Code == "40001" || pg.Code == "40P01":
		return refuse(groundwork.CodeConflict, "", op+": others change the same thing at once; read it again and retry")
	case pg.Code == "57014":
		return refuse(groundwork.CodeUnavailable, "", op+": the database took too long; narrow the request or retry later")
	case strings.HasPrefix(pg.Code, "22"):
		return refuse(groundwork.CodeInvalid, "", op+": a value has a form that the database cannot read; check the cursor, times and texts given")
	case strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "28"), pg.Code == "53300":
		return unreachable(err)
	case pg.Code == "42P01":
		return refuse(groundwork.CodeUnavailable, "", "the database lacks a table; bring it up to date with `groundwork migrate`")
	}
	return fmt.Errorf("%s: %w", op, err)
}

// uniques says what a unique constraint means to people.
var uniques = map[string]struct{ field, message string }{
	"region_code_key":              {"code", "a region of this code exists already; use it or give another code"},
	"site_region_id_kind_name_key": {"name", "this region has a site of this kind and name already; use it or give another name"},
	"category_code_version_key":    {"code", "somebody else made a version of this category just now; read it again and retry"},
	"org_unit_name":                {"name", "this region has a unit of this name already; use it or give another name"},
	"official_pseudonym_key":       {"pseudonym", "an official of this pseudonym exists already; use it or give another"},
	"opinion_external":             {"externalId", "an opinion of this source and external id exists already"},
	"policy_version_day":           {"effectiveFrom", "another version of this policy begins on this day; give another day"},
	"evidence_link_issue":          {"evidence", "this issue is evidence of the change already"},
	"evidence_link_visit":          {"evidence", "this visit is evidence of the change already"},
	"evidence_link_campaign":       {"evidence", "this campaign is evidence of the change already"},
	"evidence_link_snapshot":       {"evidence", "this snapshot is evidence of the change already"},
	"visit_policy_item_once":       {"policyVersionId", "it was noted already that this version was talked of at the visit"},
	"training_participation_once":  {"officialId", "it was noted already whether this official took part"},
	"assessment_cycle_name":        {"name", "a cycle of this name exists already; use it or give another name"},
	"assessment_once":              {"subject", "this subject has an assessment in this cycle already"},
	"target_standing":              {"measure", "a target of this subject, period and measure stands already; revise or withdraw it"},
	"campaign_issue_current":       {"issueIds", "somebody else put one of these issues to a campaign just now; read them again"},
	"issue_opinion_opinion_id_key": {"opinionIds", "an opinion belongs to an issue already; link others to that issue"},
}

func uniqueField(pg *pgconn.PgError) string { return uniques[pg.ConstraintName].field }

func uniqueMessage(pg *pgconn.PgError) string {
	if known, ok := uniques[pg.ConstraintName]; ok {
		return known.message
	}
	return fmt.Sprintf("%s has this already (%s)", pg.TableName, pg.ConstraintName)
}

// camel turns a column's name into that of the input field: site_id into siteId.
// called is how messages call what a row of the table is.
func called(table string) string { return strings.ReplaceAll(table, "_", " ") }

func camel(column string) string {
	words := strings.Split(column, "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
