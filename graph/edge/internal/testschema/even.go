package testschema

import (
	"fmt"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// Even is a custom scalar that refuses odd numbers, to show what a bad scalar literal or variable becomes at the edge.
type Even int

// UnmarshalGQL refuses anything but an even whole number.
func (e *Even) UnmarshalGQL(v any) error {
	n, err := graphql.UnmarshalInt(v)
	if err != nil {
		return err
	}
	if n%2 != 0 {
		return fmt.Errorf("%d is odd", n)
	}
	*e = Even(n)
	return nil
}

// MarshalGQL writes the number.
func (e Even) MarshalGQL(w io.Writer) { fmt.Fprintf(w, "%d", int(e)) }
