package graph

import (
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

// or returns what an optional input field holds, the zero value if it is null or absent.
func or[T any](o graphql.Omittable[*T]) T {
	if p := o.Value(); p != nil {
		return *p
	}
	var zero T
	return zero
}

// refs reads ids of an input and remembers the first that is of a wrong type.
type refs struct{ err error }

func (r *refs) one(id model.ID, kind, field string) uuid.UUID {
	u, err := id.Of(kind, field)
	if r.err == nil {
		r.err = err
	}
	return u
}

// ptr is one for fields that take a pointer.
func (r *refs) ptr(id model.ID, kind, field string) *uuid.UUID {
	u := r.one(id, kind, field)
	return &u
}

func (r *refs) opt(id graphql.Omittable[*model.ID], kind, field string) *uuid.UUID {
	if id.Value() == nil {
		return nil
	}
	u := r.one(*id.Value(), kind, field)
	return &u
}

// maybe is one for optional arguments.
func (r *refs) maybe(id *model.ID, kind, field string) *uuid.UUID {
	if id == nil {
		return nil
	}
	return r.ptr(*id, kind, field)
}

func (r *refs) many(ids []model.ID, kind, field string) []uuid.UUID {
	us := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		us[i] = r.one(id, kind, fmt.Sprintf("%s.%d", field, i))
	}
	return us
}

const (
	maxPage   = 100   // rows of a page, elements of a nested list, ids of one question
	maxCounts = 10000 // a total count stops here
)

// pageRequest reads the arguments of a connection.
func pageRequest(first *int32, after *string, last *int32, before *string) (groundwork.PageRequest, error) {
	var p groundwork.PageRequest
	if (first == nil) == (last == nil) {
		return p, groundwork.Invalid("first", "give either first or last, 1 to %d rows", maxPage)
	}
	var err error
	if p.First, err = rows("first", first); err != nil {
		return p, err
	}
	if p.Last, err = rows("last", last); err != nil {
		return p, err
	}
	if p.After, err = cursor("after", after); err != nil {
		return p, err
	}
	p.Before, err = cursor("before", before)
	return p, err
}

func rows(field string, n *int32) (int, error) {
	if n == nil {
		return 0, nil
	}
	return within(field, *n, maxPage)
}

// within reads a number that lies between 1 and limit.
func within(field string, n int32, limit int) (int, error) {
	if n < 1 || int(n) > limit {
		return 0, groundwork.Invalid(field, "%s is %d; give 1 to %d", field, n, limit)
	}
	return int(n), nil
}

func cursor(field string, text *string) (*groundwork.Cursor, error) {
	if text == nil {
		return nil, nil
	}
	return model.DecodeCursor(field, *text)
}

// connection pages a list: it reads the arguments, asks the store, and shows the rows as the API's type.
func connection[T, N any](first *int32, after *string, last *int32, before *string,
	list func(groundwork.PageRequest) (groundwork.Page[*T], error), as func(*T) *N,
) (*model.Connection[N], error) {
	p, err := pageRequest(first, after, last, before)
	if err != nil {
		return nil, err
	}
	page, err := list(p)
	if err != nil {
		return nil, err
	}
	return model.NewConnection(page, as), nil
}

// whole reads an optional whole number.
func whole(o graphql.Omittable[*int32]) *int {
	if o.Value() == nil {
		return nil
	}
	n := int(*o.Value())
	return &n
}
