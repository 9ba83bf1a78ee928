package groundwork

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// MeasureDefinition is a version of what a measure means, as the program had it when it was kept. A definition that changes in the program
// becomes the next version; earlier ones stay, so that a figure can be read by what it meant then.
type MeasureDefinition struct {
	ID                uuid.UUID
	Code              string
	Version           int    // 1 for the first that was kept, without gaps
	DefinitionVersion string // as answers carry it
	Fields            string // JSON: all that docs/measures.md shows of it
	SHA256            string // of Fields
	CreatedAt         time.Time
}

// measureCode is the form of the codes of all measures of the registry: H1, and E1C for one that goes with E1.
var measureCode = regexp.MustCompile(`^[A-Z][0-9]{1,2}[A-Z]?$`)

// NewMeasureDefinition makes a definition of what the program says of a measure; fields are marshalled.
func NewMeasureDefinition(code, version string, fields any) (MeasureDefinition, error) {
	raw, err := json.Marshal(fields)
	return MeasureDefinition{Code: code, DefinitionVersion: version, Fields: string(raw), SHA256: hexSHA256(string(raw))}, err
}

// Validate examines a definition that is to be kept.
func (d MeasureDefinition) Validate() error {
	return firstError(
		check(measureCode.MatchString(d.Code), "code", "%q is no code of a measure; they are like H1", d.Code),
		check(d.DefinitionVersion != "", "definitionVersion", "the definition of %s has no version", d.Code),
		check(json.Valid([]byte(d.Fields)) && strings.HasPrefix(d.Fields, "{"), "fields", "the fields of %s are no JSON object", d.Code),
		check(d.SHA256 == hexSHA256(d.Fields), "sha256", "the hash of %s is not that of its fields", d.Code),
	)
}

// MeasureSnapshot is an answer of a measure that is kept for good, so that it can be cited: what was asked, what was found, as of when,
// under a hash. It never changes. The same question asked again about the same moment gives the same hash, as long as nothing came in
// later that speaks of that moment.
type MeasureSnapshot struct {
	ID                  uuid.UUID
	MeasureDefinitionID uuid.UUID
	Measure             string // code
	Subject                    // whom it speaks of, if of one unit or post
	Question            string // canonical JSON
	Cells               string // canonical JSON
	SHA256              string // of Question, a line feed, and Cells
	WindowFrom          *time.Time
	WindowTo            *time.Time
	AsOf                time.Time
	RowCount            int
	Protected           bool // small numbers were hidden, as for everybody
	TakenAt             time.Time
	TakenByRole         Role
	TakenByUnitID       *uuid.UUID
	CreatedAt           time.Time
}

// Document is the text that the hash is of.
func (s MeasureSnapshot) Document() string { return s.Question + "\n" + s.Cells }

// Seal sets the hash.
func (s *MeasureSnapshot) Seal() { s.SHA256 = hexSHA256(s.Document()) }

// SeenBy reports whether the actor may read the snapshot: what small numbers were hidden in is for everybody; of others, those of a subject
// are for whoever may see what is said of it, and the rest for those who work on issues.
func (s MeasureSnapshot) SeenBy(a Actor) bool {
	switch {
	case !s.Subject.None():
		return s.Subject.SeenBy(a)
	case s.Protected:
		return true
	}
	switch a.Role {
	case RoleCitizen, RoleAnalyst, RoleResearcher:
		return false
	default:
		return true
	}
}

// Validate examines a snapshot that is to be kept.
func (s MeasureSnapshot) Validate(now time.Time) error {
	if !s.Subject.None() {
		if err := s.Subject.Validate(); err != nil {
			return err
		}
	}
	return firstError(
		check(measureCode.MatchString(s.Measure), "measure", "%q is no code of a measure; they are like H1", s.Measure),
		check(json.Valid([]byte(s.Question)) && json.Valid([]byte(s.Cells)), "cells", "question and cells are JSON"),
		check(s.SHA256 == hexSHA256(s.Document()), "sha256", "the hash is not that of question and cells"),
		check(s.WindowFrom == nil || s.WindowTo == nil || s.WindowTo.After(*s.WindowFrom), "range", "the window ends after it begins"),
		check(!s.AsOf.After(now), "asOf", "%s lies in the future: nothing is known of then", s.AsOf.Format(time.RFC3339)),
		check(s.RowCount >= 0, "cells", "%d rows are impossible", s.RowCount),
	)
}

// SnapshotRequest asks for a snapshot to be kept. Asked is the question as the caller gave it: a request that comes again is known by it,
// though the moment and so the answer have changed.
type SnapshotRequest struct {
	Actor    Actor
	Asked    string
	Snapshot MeasureSnapshot
	Version  MeasureDefinition // by which it was answered: what the program means by the measure, or an earlier version on record
}

// SnapshotFilter narrows a list of snapshots; zero fields do not narrow.
type SnapshotFilter struct {
	Measures []string
	SubjectFilter
	Taken TimeRange
}

// MeasureRecordStore keeps what measures mean and what they once said.
type MeasureRecordStore interface {
	MeasureDefinitions(ctx context.Context, codes []string) ([]*MeasureDefinition, error) // all versions, by code, the latest first; no codes = all
	MeasureDefinitionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*MeasureDefinition, error)
	MeasureSnapshots(ctx context.Context, f SnapshotFilter, p PageRequest) (Page[*MeasureSnapshot], error) // the latest taken first
	MeasureSnapshotsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*MeasureSnapshot, error)
	// TakeSnapshot keeps an answer. It is refused if the program that answered means something else by the measure than the latest version
	// on record: `groundwork migrate` keeps the new one first.
	TakeSnapshot(ctx context.Context, r SnapshotRequest) (*MeasureSnapshot, Receipt, error)
}

func hexSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
