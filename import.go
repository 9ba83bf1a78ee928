package groundwork

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Importer takes in what other systems recorded, with its real times. It invents nothing: a reply becomes a claim of the reply's
// time, never a confirmation.
type Importer interface {
	// ImportedOpinions returns the opinions that the store already has of these reporters of the source, each with its issue, so
	// that repeats can be linked.
	ImportedOpinions(ctx context.Context, source string, reporterKeys []string) ([]ImportedOpinion, error)

	// Import takes a batch in, in transactions of some hundred rows. It is idempotent by (source, external id): rows that are there
	// unchanged are counted as known; a row that has gained a reply or a closing gains it here; observed_until only grows. With
	// DryRun nothing is kept. Progress, which may be nil, is told how many rows are done.
	Import(ctx context.Context, b ImportBatch, progress func(done int)) (ImportResult, error)

	// ImportPopulations takes in how many people live where; a region code that is unknown is an *Error naming it.
	ImportPopulations(ctx context.Context, by Actor, rows []PopulationRow, dryRun bool) (changed int, err error)
}

// ImportedOpinion is an opinion of an earlier import, as linking needs it.
type ImportedOpinion struct {
	IssueID    uuid.UUID
	ExternalID string
	Reporter   string
	Subject    string
	Text       string
	ReceivedAt time.Time
	Place      []string // names of its regions from the top; empty = unknown
}

// ImportBatch is one file, understood.
type ImportBatch struct {
	Source        string // "message_board", "open311:<name>"
	FileName      string
	SHA256        string
	ObservedUntil time.Time // the file speaks up to this moment
	RowsRead      int
	RowsRejected  int
	Rows          []ImportRow
	DryRun        bool
}

// ImportRow is one row of a file: an opinion, and what the source knows of the answer to it. Rows with the same Matter belong to
// one issue; Matter is an existing issue's id or, for a new one, any id shared by its rows.
type ImportRow struct {
	Line              int
	ExternalID        string
	Matter            uuid.UUID
	MatterExists      bool
	LinkScore         *float64 // how sure the link to the matter is, 0 to 1; nil = first of its matter
	ReporterKey       string   // the source's user name; the vault keeps a keyed hash of it, and only its pseudonym stands here
	Subject           string
	Text              string
	Channel           Channel
	Kind              OpinionKind
	ReceivedAt        time.Time
	ReceivedPrecision Precision
	OccurredAt        *time.Time
	Reply             *ImportReply
	DueAt             *time.Time
	Region            []ImportRegion // from the top, finest last; empty = unknown
	CategoryCode      string         // empty = unknown
	CategoryPath      []string
	Latitude          *float64
	Longitude         *float64
	Supported         int
	Opposed           int
}

// ImportReply is an answer, or for sources that only know "closed", the closing.
type ImportReply struct {
	Text      string
	At        time.Time
	Precision Precision
}

// ImportRegion is a place named in a row.
type ImportRegion struct {
	Code  string
	Level RegionLevel
	Name  string
}

// ImportResult counts what an import did.
type ImportResult struct {
	OpinionsAdded, OpinionsKnown, OpinionsChanged int
	IssuesAdded, IssuesChanged                    int
	ClaimsAdded                                   int
	RegionsAdded, CategoriesAdded                 int
	Receipt                                       Receipt
}

// PopulationRow is one line of a population file.
type PopulationRow struct {
	Line    int
	Code    string
	Name    string
	Level   RegionLevel // of a region that the file adds; empty = the region must exist
	Year    int
	Persons int64
	Source  string
}
