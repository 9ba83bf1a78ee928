package model

import (
	"encoding/base64"
	"encoding/json"

	"groundwork"
)

// Connection is one page of a list.
type Connection[N any] struct {
	Edges    []Edge[N]
	Nodes    []*N
	PageInfo PageInfo
}

// Edge is a row of a page.
type Edge[N any] struct {
	Cursor string
	Node   *N
}

// PageInfo says where a page lies in its list.
type PageInfo struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string
}

// The connections by name.
type (
	RegionConnection   = Connection[Region]
	RegionEdge         = Edge[Region]
	SiteConnection     = Connection[Site]
	SiteEdge           = Edge[Site]
	CategoryConnection = Connection[Category]
	CategoryEdge       = Edge[Category]
	OrgUnitConnection  = Connection[OrgUnit]
	OrgUnitEdge        = Edge[OrgUnit]
	OfficialConnection = Connection[Official]
	OfficialEdge       = Edge[Official]
	VisitConnection    = Connection[Visit]
	VisitEdge          = Edge[Visit]
	OpinionConnection  = Connection[Opinion]
	OpinionEdge        = Edge[Opinion]
	IssueEdge          = Edge[Issue]
)

// IssueConnection is a page of issues that can still be counted: it keeps the filter.
type IssueConnection struct {
	Connection[Issue]
	Filter groundwork.IssueFilter
}

// NewConnection makes a connection of a page, seeing each row as the API's type.
func NewConnection[T, N any](page groundwork.Page[*T], as func(*T) *N) *Connection[N] {
	c := Connection[N]{
		Edges:    make([]Edge[N], len(page.Items)),
		Nodes:    make([]*N, len(page.Items)),
		PageInfo: PageInfo{HasNextPage: page.HasNext, HasPreviousPage: page.HasBefore},
	}
	for i, item := range page.Items {
		c.Nodes[i] = as(item)
		c.Edges[i] = Edge[N]{Cursor: EncodeCursor(page.Cursors[i]), Node: c.Nodes[i]}
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return &c
}

// EncodeCursor makes a cursor opaque.
func EncodeCursor(c groundwork.Cursor) string {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and a UUID always marshal
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// DecodeCursor reads a cursor; field names the argument for the error.
func DecodeCursor(field, text string) (*groundwork.Cursor, error) {
	var c groundwork.Cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Order == "" {
		return nil, groundwork.Invalid(field, "%q is no cursor; give one of this list in this order", text)
	}
	return &c, nil
}
