package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// request is a write that makes or changes one thing of table: op names it in messages, input is what was asked, id reads the
// thing's id. A request that comes again under the same clientMutationId of the same actor is answered again, not done again.
type request[T any] struct {
	op             string
	by             groundwork.Actor
	input          any
	table, columns string
	id             func(*T) uuid.UUID
	again          func(context.Context, pgx.Tx, *T) error // completes a thing that was made before; nil: nothing is missing
	region         *uuid.UUID                              // where a new thing lies, to say why it is refused; nil = unknown
}

// do runs f in one transaction, unless the request was done before: then it reads what that made, as it is now. The thing and its
// receipt come back when it is durable; on error the thing is nil.
func do[T any](ctx context.Context, db *DB, r request[T], f func(pgx.Tx) (*T, error)) (thing *T, receipt groundwork.Receipt, err error) {
	m, err := r.mutation()
	if err != nil {
		return nil, receipt, err
	}
	receipt, err = db.writeAt(ctx, r.by, r.op, r.region, func(tx pgx.Tx) error {
		before, err := m.done(ctx, tx)
		if err != nil {
			return err
		}
		if before != nil {
			if r.again != nil { // what was told in confidence is read back by whoever knows its secret, as this request once did
				if err := prove(ctx, tx, db.secretKey.Of(*before)); err != nil {
					return err
				}
			}
			thing, err = one[T](ctx, tx, "read "+r.table, "SELECT "+r.columns+" FROM "+r.table+" WHERE id = @id", pgx.NamedArgs{"id": before})
			if err == nil && thing == nil {
				err = groundwork.Errorf(groundwork.CodeNotFound, "what clientMutationId %q made is no longer there", m.id)
			}
			if err == nil && r.again != nil {
				err = r.again(ctx, tx, thing)
			}
			return err
		}
		if thing, err = f(tx); err != nil {
			return err
		}
		return m.keep(ctx, tx, r.id(thing))
	})
	if err != nil {
		return nil, receipt, err
	}
	return thing, receipt, nil
}

// mutation is the identity of a request that may come again; its id is empty if the client gave none.
type mutation struct{ actor, id, operation, sha256 string }

func (r request[T]) mutation() (mutation, error) {
	m := mutation{actor: r.by.ID, id: r.by.Via.ClientMutationID, operation: r.op}
	if m.id == "" {
		return m, nil
	}
	if err := r.by.CheckRetry(); err != nil {
		return m, err
	}
	text, err := json.Marshal([]any{r.op, r.by, r.input})
	if err != nil {
		return m, fmt.Errorf("digest of the request: %w", err)
	}
	digest := sha256.Sum256(text)
	m.sha256 = hex.EncodeToString(digest[:])
	return m, nil
}

// done returns the id of what an earlier request with the same actor and id made, nil if there was none.
func (m mutation) done(ctx context.Context, tx pgx.Tx) (*uuid.UUID, error) {
	if m.id == "" {
		return nil, nil
	}
	type earlier struct {
		EntityID uuid.UUID
		Sha256   string
	}
	// The second of two equal requests waits here until the first has ended, and then finds its answer.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(@actor || chr(31) || @id, 4))", pgx.NamedArgs{"actor": m.actor, "id": m.id}); err != nil {
		return nil, err
	}
	before, err := one[earlier](ctx, tx, "look for the same request",
		"SELECT entity_id, sha256 FROM mutation_receipt WHERE actor = @actor AND client_mutation_id = @id",
		pgx.NamedArgs{"actor": m.actor, "id": m.id})
	if err != nil || before == nil {
		return nil, err
	}
	if before.Sha256 != m.sha256 {
		return nil, &groundwork.Error{Code: groundwork.CodeConflict, Field: "clientMutationId",
			Message: fmt.Sprintf("clientMutationId %q was used for another request; give a new one", m.id)}
	}
	return &before.EntityID, nil
}

func (m mutation) keep(ctx context.Context, tx pgx.Tx, entity uuid.UUID) error {
	if m.id == "" {
		return nil
	}
	return add(ctx, tx, "mutation_receipt", pgx.NamedArgs{"actor": m.actor, "client_mutation_id": m.id, "operation": m.operation,
		"sha256": m.sha256, "entity_id": entity})
}
