// Package model holds the types that exist only in the API: ids, pages, payloads and inputs. The nouns of the domain are bound as
// they are; here they only gain what the API adds to them, such as a global id.
package model

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"groundwork"
)

// ID is a global id: which kind of thing, and which one. On the wire it is opaque, base64url("Type:uuid").
type ID struct {
	Type string
	UUID uuid.UUID
}

func (id ID) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(id.Type + ":" + id.UUID.String()))
}

// ParseID reads a global id.
func ParseID(text string) (ID, error) {
	refused := fmt.Errorf("%q is no id; give one that this API answered", text)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ID{}, refused
	}
	kind, rest, ok := strings.Cut(string(raw), ":")
	if !ok || kind == "" || len(rest) != len(uuid.Nil.String()) {
		return ID{}, refused
	}
	id, err := uuid.Parse(rest)
	if err != nil {
		return ID{}, refused
	}
	return ID{kind, id}, nil
}

// Of returns the id of a thing that has to be of the given type; field names the input for the error.
func (id ID) Of(kind, field string) (uuid.UUID, error) {
	if id.Type != kind {
		return uuid.Nil, groundwork.Invalid(field, "%s is the id of a thing of type %s; give one of type %s", id, id.Type, kind)
	}
	return id.UUID, nil
}

// MarshalGQL writes the id.
func (id ID) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(id.String())) }

// UnmarshalGQL reads the id.
func (id *ID) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("an id is a string, not %v", v)
	}
	var err error
	*id, err = ParseID(text)
	return err
}

// GeoJSON is an object of GeoJSON as it stands in the answer. It is only ever answered.
type GeoJSON string

// MarshalGQL writes the object.
func (g GeoJSON) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, string(g)) }

// UnmarshalGQL refuses: no question takes one.
func (g *GeoJSON) UnmarshalGQL(any) error { return errors.New("GeoJSON is only answered") }

// MarshalDateTime writes a moment in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.Quote(t.UTC().Format(time.RFC3339Nano)))
	})
}

// UnmarshalDateTime reads a moment.
func UnmarshalDateTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, errors.New("a DateTime is a string such as 2026-03-01T08:30:00Z")
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no DateTime; give RFC 3339 such as 2026-03-01T08:30:00Z", text)
	}
	return t.UTC(), nil
}

// MarshalDate writes a day.
func MarshalDate(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(t.Format(time.DateOnly))) })
}

// UnmarshalDate reads a day as its midnight in UTC.
func UnmarshalDate(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, errors.New("a Date is a string such as 2026-03-01")
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no Date; give YYYY-MM-DD such as 2026-03-01", text)
	}
	return t, nil
}
