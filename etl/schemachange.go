package etl

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"github.com/jackc/pgx/v5"
)

// ddlPrefix marks the messages by which the event triggers of Postgres (migration 00115) announce changes of what is published.
const ddlPrefix = "etl_ddl"

// schemaChange is such a message.
type schemaChange struct {
	Tag         string          `json:"tag"` // the command: ALTER TABLE
	Publication string          `json:"publication"`
	Table       string          `json:"table"`
	Rewritten   bool            `json:"rewritten"` // the values of a column were computed anew, without a change of any row in the stream
	Before      *publishedShape `json:"before"`    // nil = was not published
	After       *publishedShape `json:"after"`     // nil = is not published any more
	Filled      bool            `json:"filled"`    // the table has rows
}

// publishedShape is what a publication lets out of a table.
type publishedShape struct {
	Filter  string           `json:"filter"`
	Columns []publishedField `json:"columns"`
}

type publishedField struct {
	Number int    `json:"number"` // stays when the column is renamed
	Name   string `json:"name"`
	Type   string `json:"type"`
}

// loss tells what of the table the stream does not bring, so that only a fresh load makes the mirror right; empty = nothing.
func (c schemaChange) loss() string {
	switch {
	case c.Rewritten:
		return "the values of a column were computed anew"
	case c.After == nil:
		return "it is not published any more"
	case c.Before == nil: // a table that joins is loaded by itself; one that was there before has left, which was a loss
		return ""
	case c.Before.Filter != c.After.Filter:
		return "other rows are published"
	}
	for _, f := range c.Before.Columns {
		if !slices.Contains(c.After.Columns, f) {
			return fmt.Sprintf("column %s (%s) was renamed, changed its type or is not published any more", f.Name, f.Type)
		}
	}
	if len(c.After.Columns) > len(c.Before.Columns) && c.Filled {
		return "it has a new column, whose values are not in the stream"
	}
	return ""
}

// schemaChanged takes an announcement, at its place among the changes of rows.
func (a *applier) schemaChanged(ctx context.Context, content []byte) error {
	var c schemaChange
	if err := json.Unmarshal(content, &c); err != nil {
		return fmt.Errorf("decode the announcement of a schema change: %w", err)
	}
	if c.Publication != a.session.cfg.Publication {
		return nil
	}
	log := a.session.log.With(slog.String("table", c.Table), slog.String("command", c.Tag))
	if loss := c.loss(); loss != "" {
		return &gapError{fmt.Sprintf("%s of table %s: %s", c.Tag, c.Table, loss)}
	}
	log.InfoContext(ctx, "what is published of a table changed, and nothing was lost by it")
	return nil
}

// warnUnannounced tells that changes of published tables would go unnoticed until their next row.
func (s *session) warnUnannounced(ctx context.Context, pg *pgx.Conn) error {
	var n int
	if err := pg.QueryRow(ctx, "SELECT count(*) FROM pg_event_trigger WHERE evtname IN ('groundwork_ddl_start', 'groundwork_ddl_end', 'groundwork_rewrite') AND evtenabled = 'A'").Scan(&n); err != nil {
		return fmt.Errorf("look for the event triggers of Postgres: %w", err)
	}
	if n < 3 {
		s.log.WarnContext(ctx, "the event triggers that announce schema changes are missing: let a superuser run SELECT etl.announce_ddl(); without them, verify after each change of a published table by hand")
	}
	return nil
}
