package groundwork

import "github.com/google/uuid"

// PageRequest asks for one page of a keyset-ordered list: First rows after After, or Last rows before Before. Exactly one of
// First and Last is set, 1 to 100.
type PageRequest struct {
	First, Last   int
	After, Before *Cursor
}

// Cursor is the position of a row in a list: the values of its sort key, as text in the database's own form, and its id. Order
// names the order it belongs to; a cursor used with another order is refused.
type Cursor struct {
	Order string    `json:"o"`
	Key   string    `json:"k"`
	ID    uuid.UUID `json:"i"`
}

// Page is one page of a list with the cursors of its rows.
type Page[T any] struct {
	Items              []T
	Cursors            []Cursor // Cursors[i] is the position of Items[i]
	HasNext, HasBefore bool
}

// Count is a count that stops at a limit: Value rows, or at least that many if Capped.
type Count struct {
	Value  int
	Capped bool
}

// Receipt says at which position of the system of record's log a write is durable. An analytical reader who holds it can wait
// until the warehouse has the write.
type Receipt struct{ LSN uint64 }
