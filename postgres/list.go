package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// conditions gathers the conditions of a WHERE clause; values enter as arguments only.
type conditions struct {
	terms  []string
	args   pgx.NamedArgs
	saying func(text string) ([]uuid.UUID, error) // of filters of issues: those that say a text; nil = too many
	texts  int                                    // how many were asked for
}

func where() *conditions { return &conditions{args: pgx.NamedArgs{}} }

// add adds a condition; each %s in it stands for the next value.
func (c *conditions) add(condition string, values ...any) {
	names := make([]any, len(values))
	for i, v := range values {
		names[i] = c.arg(v)
	}
	c.terms = append(c.terms, fmt.Sprintf(condition, names...))
}

func (c *conditions) arg(value any) string {
	name := fmt.Sprintf("p%d", len(c.args)+1)
	c.args[name] = value
	return "@" + name
}

// sql is the conditions in conjunction, or TRUE.
func (c *conditions) sql() string {
	if len(c.terms) == 0 {
		return "TRUE"
	}
	return strings.Join(c.terms, " AND ")
}

// among keeps rows whose column is one of the values; no values do not narrow.
func among[T any](c *conditions, column string, values []T) {
	if len(values) > 0 {
		c.add(column+" = ANY(%s)", values)
	}
}

func (c *conditions) within(column string, r groundwork.TimeRange) {
	if r.From != nil {
		c.add(column+" >= %s", *r.From)
	}
	if r.To != nil {
		c.add(column+" < %s", *r.To)
	}
}

// contains keeps rows whose expression has the text in it, whatever its case. No index serves it: it is for names, of which there are few.
func (c *conditions) contains(expression, text string) {
	if text != "" {
		c.add(expression+" ILIKE %s", pattern(text))
	}
}

func pattern(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// is keeps rows for which the expression has the wanted truth.
func (c *conditions) is(expression string, wanted *bool) {
	if wanted != nil {
		c.add("("+expression+") = %s", *wanted)
	}
}

// under keeps rows whose region lies in the subtree of another.
func (c *conditions) under(column string, region *uuid.UUID) {
	if region != nil {
		c.add(column+" IN (SELECT below.id FROM region below JOIN region top ON below.path <@ top.path WHERE top.id = %s)", *region)
	}
}

// order is a total order of a list: by an expression, then by id in the same direction.
type order[T any] struct {
	name       string
	expression string
	cast       string // type of the expression
	descending bool
	position   func(*T) (key string, id uuid.UUID)
}

// maxPage is how many rows a page has at most.
const maxPage = 100

// page reads one page of a list.
func page[T any](ctx context.Context, db *DB, columns, table string, c *conditions, o order[T], p groundwork.PageRequest) (groundwork.Page[*T], error) {
	return pageFrom(ctx, db.reads(), columns, table, c, o, p)
}

// pageFrom reads one page of a list. It asks for one row more than wanted to know whether there is another page.
func pageFrom[T any](ctx context.Context, q querier, columns, table string, c *conditions, o order[T], p groundwork.PageRequest) (groundwork.Page[*T], error) {
	size, cursor, err := checkPage(p, o.name)
	if err != nil {
		return groundwork.Page[*T]{}, err
	}
	backward := p.Last > 0
	operator, direction := ">", "ASC"
	if o.descending != backward {
		operator, direction = "<", "DESC"
	}
	if cursor != nil {
		c.add(fmt.Sprintf("(%s, %s.id) %s (%%s::%s, %%s)", o.expression, table, operator, o.cast), cursor.Key, cursor.ID)
	}
	sql := fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s %s, %s.id %s LIMIT %d",
		columns, table, c.sql(), o.expression, direction, table, direction, size+1)
	items, err := collect[T](ctx, q, "list "+table, sql, c.args)
	if err != nil {
		return groundwork.Page[*T]{}, err
	}
	more := len(items) > size
	items = items[:min(size, len(items))]
	if backward {
		slices.Reverse(items)
		return bound(items, o, cursor != nil, more), nil
	}
	return bound(items, o, more, cursor != nil), nil
}

func bound[T any](items []T, o order[T], hasNext, hasBefore bool) groundwork.Page[*T] {
	result := groundwork.Page[*T]{HasNext: hasNext, HasBefore: hasBefore}
	for i := range items {
		key, id := o.position(&items[i])
		result.Items = append(result.Items, &items[i])
		result.Cursors = append(result.Cursors, groundwork.Cursor{Order: o.name, Key: key, ID: id})
	}
	return result
}

func checkPage(p groundwork.PageRequest, order string) (size int, cursor *groundwork.Cursor, err error) {
	size, cursor = p.First, p.After
	field := "first"
	if p.Last != 0 {
		size, cursor, field = p.Last, p.Before, "last"
	}
	switch {
	case p.First != 0 && p.Last != 0:
		return 0, nil, groundwork.Invalid("last", "give either first or last, not both")
	case size < 1 || size > maxPage:
		return 0, nil, groundwork.Invalid(field, "%s is %d; give 1 to %d", field, size, maxPage)
	case p.First != 0 && p.Before != nil || p.Last != 0 && p.After != nil:
		return 0, nil, groundwork.Invalid(field, "first goes with after, last with before")
	case cursor != nil && cursor.Order != order:
		return 0, nil, groundwork.Invalid("after", "the cursor belongs to the order %s, the list is ordered by %s; start again without a cursor", cursor.Order, order)
	}
	return size, cursor, nil
}

// byID reads rows by their ids into a map.
func byID[T any](ctx context.Context, db *DB, columns, table string, ids []uuid.UUID, id func(*T) uuid.UUID) (map[uuid.UUID]*T, error) {
	items, err := collect[T](ctx, db.reads(), "read "+table, "SELECT "+columns+" FROM "+table+" WHERE id = ANY(@ids)", pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	found := make(map[uuid.UUID]*T, len(items))
	for i := range items {
		found[id(&items[i])] = &items[i]
	}
	return found, nil
}

// grouped sorts rows under the id that they belong to, in their order.
func grouped[T any](items []T, owner func(*T) uuid.UUID) map[uuid.UUID][]*T {
	groups := map[uuid.UUID][]*T{}
	for i := range items {
		key := owner(&items[i])
		groups[key] = append(groups[key], &items[i])
	}
	return groups
}

// moment is the key of a time in a cursor: exact, and readable by the database.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func newID(given uuid.UUID) uuid.UUID {
	if given != uuid.Nil {
		return given
	}
	return uuid.Must(uuid.NewV7())
}
