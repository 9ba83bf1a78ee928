package postgres

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"groundwork"
)

// The roles of the database. They have no login of their own: whoever connects acts as one of them (Options.Role) and must be a member.
const (
	RoleApp     = "groundwork_app"     // the API
	RoleJobs    = "groundwork_jobs"    // the chores
	RoleETL     = "groundwork_etl"     // the replication: what is published, never the vault
	RoleAuditor = "groundwork_auditor" // reads the audit, and nothing else
	RoleVault   = "groundwork_vault"   // reads identities, for the doors of the vault, and nothing else
)

var databaseRoles = []struct{ name, attributes string }{
	{RoleApp, "NOLOGIN"}, {RoleJobs, "NOLOGIN"}, {RoleETL, "NOLOGIN REPLICATION IN ROLE pg_read_all_stats"}, {RoleAuditor, "NOLOGIN"}, {RoleVault, "NOLOGIN"},
}

//go:embed roles.sql
var grants string

//go:embed access.sql
var policies string

//go:embed life.sql
var life string

// rulesOfLives is life.sql with the steps of groundwork.Lifecycle and of the other machines.
func rulesOfLives() string {
	var steps, moves, nouns []string
	for _, t := range groundwork.Lifecycle {
		if t.Source == "" {
			steps = append(steps, ways(t.From, t.Roles, func(from groundwork.State, role groundwork.Role) []string {
				return []string{string(t.Kind), string(from), string(t.To), string(role), string(t.Closure)}
			})...)
		}
	}
	for _, m := range historyNouns() {
		nouns = append(nouns, m.Noun)
		for _, r := range m.Rows {
			moves = append(moves, ways(r.From, r.Roles, func(from string, role groundwork.Role) []string {
				return []string{m.Noun, r.Kind, from, r.To, string(role)}
			})...)
		}
	}
	return strings.NewReplacer("{{steps}}", strings.Join(steps, ", "), "{{moves}}", strings.Join(moves, ", "), "{{nouns}}", strings.Join(nouns, ",")).Replace(life)
}

// ways writes a row of a life as rows of SQL, one for each state that it leads from and each role. Empty texts are nulls.
func ways[S ~string](from []S, roles []groundwork.Role, row func(S, groundwork.Role) []string) []string {
	if from == nil {
		from = []S{""}
	}
	var rows []string
	for _, state := range from {
		for _, role := range roles {
			values := row(state, role)
			for n, v := range values {
				values[n] = "nullif('" + v + "', '')"
			}
			rows = append(rows, "("+strings.Join(values, ", ")+")")
		}
	}
	return rows
}

// rolesLock is the key of the advisory lock under which privileges are given.
const rolesLock = 0x726f6c65

// migrateRoles makes the roles that are missing on the server, which all its databases share, and gives them their privileges here.
func migrateRoles(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return connectFailed(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, r := range databaseRoles {
		if err := makeRole(ctx, conn, r.name, r.attributes); err != nil {
			return err
		}
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(rolesLock)); err != nil {
			return err
		}
		if err := makePolicies(ctx, tx); err != nil {
			return err
		}
		return grantPublished(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("give the roles of Postgres their privileges (the owner of the tables is needed): %w", err)
	}
	return nil
}

func makeRole(ctx context.Context, conn *pgx.Conn, name, attributes string) error {
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name).Scan(&there); err != nil {
		return fmt.Errorf("look for role %s: %w", name, err)
	}
	if there {
		return nil
	}
	_, err := conn.Exec(ctx, "CREATE ROLE "+name+" "+attributes)
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case ok && (pg.Code == "42710" || pg.Code == "23505"): // another database's migration made it at the same moment
		return nil
	case ok && pg.Code == "42501":
		return &groundwork.Error{Code: groundwork.CodeForbidden, Err: err, Message: "this user of Postgres may not make roles; as a superuser run: " + rolesByHand()}
	case err != nil:
		return fmt.Errorf("make role %s: %w", name, err)
	}
	return nil
}

// rolesByHand is what somebody who may make roles runs once a server.
func rolesByHand() string {
	var statements []string
	for _, r := range databaseRoles {
		statements = append(statements, "CREATE ROLE "+r.name+" "+r.attributes+";")
	}
	return strings.Join(statements, " ")
}

// makePolicies puts the tables under row-level security, and what has a life under the rules of it, anew if these have changed: for a moment that locks them all.
func makePolicies(ctx context.Context, tx pgx.Tx) error {
	policies := policies + rulesOfLives()
	digest := sha256.Sum256([]byte(policies))
	made := hex.EncodeToString(digest[:])
	found, err := scalars[string](ctx, tx, "look for the policies", "SELECT coalesce(obj_description('access'::regnamespace, 'pg_namespace'), '')", pgx.NamedArgs{})
	if err != nil || found[0] == made {
		return err
	}
	if _, err := tx.Exec(ctx, policies); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "COMMENT ON SCHEMA access IS '"+made+"'")
	return err
}

// grantPublished gives all privileges; the replication reads exactly the columns that are published, and where rows lie (ctid), by which
// it reads large tables in parts.
func grantPublished(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, grants); err != nil {
		return err
	}
	published, err := scalars[string](ctx, tx, "read the publication", `
		SELECT format('GRANT SELECT (%s, ctid) ON %I.%I TO `+RoleETL+`', (SELECT string_agg(quote_ident(c), ', ') FROM unnest(attnames) c), schemaname, tablename)
		FROM pg_publication_tables WHERE pubname = 'groundwork'`, pgx.NamedArgs{})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, strings.Join(published, ";\n"))
	return err
}
