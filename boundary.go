package groundwork

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Boundary is the outline of a region as GeoJSON (RFC 7946): a Polygon or MultiPolygon in degrees of WGS 84, with the box around it and the
// centroid of its area, which may lie outside of a crooked region.
type Boundary struct {
	RegionID                 uuid.UUID
	GeoJSON                  string
	South, West, North, East float64
	Latitude, Longitude      float64
	Source                   string // who drew it
	CreatedAt                time.Time
}

// Neighbourhood is a pair of regions of one level that touch. The id of the first is the lower one.
type Neighbourhood struct {
	RegionID    uuid.UUID
	NeighbourID uuid.UUID
	Source      NeighbourSource
	ValidFrom   *time.Time
	ValidTo     *time.Time
}

// NeighbourSource is how it is known that regions touch.
type NeighbourSource string

// The sources.
const (
	SharedBorder NeighbourSource = "BORDER" // computed from the outlines
	ListedPair   NeighbourSource = "LIST"   // somebody said so, such as of an island with a bridge
)

// Neighbours makes a pair of two regions, the lower id first.
func Neighbours(a, b uuid.UUID, source NeighbourSource) Neighbourhood {
	if a.String() > b.String() {
		a, b = b, a
	}
	return Neighbourhood{RegionID: a, NeighbourID: b, Source: source}
}

// Validate examines what can be seen of an outline without computing with it; package geometry examines the rings.
func (b Boundary) Validate() error {
	var outline struct {
		Type        string            `json:"type"`
		Coordinates []json.RawMessage `json:"coordinates"`
	}
	err := json.Unmarshal([]byte(b.GeoJSON), &outline)
	return firstError(
		check(err == nil && (outline.Type == "Polygon" || outline.Type == "MultiPolygon") && len(outline.Coordinates) > 0, "geometry", "an outline is a Polygon or MultiPolygon of GeoJSON"),
		located(&b.South, &b.West),
		located(&b.North, &b.East),
		check(b.North > b.South && b.East > b.West, "geometry", "the box around the outline, %v to %v north and %v to %v east, is empty; give degrees of longitude, then latitude", b.South, b.North, b.West, b.East),
		check(b.Latitude >= b.South && b.Latitude <= b.North && b.Longitude >= b.West && b.Longitude <= b.East, "centroid", "the centroid %v, %v lies outside of the box around the outline", b.Latitude, b.Longitude),
		check(b.Source != "", "source", "an outline needs its source"),
	)
}

// Validate examines a pair of neighbours.
func (n Neighbourhood) Validate() error {
	return firstError(
		check(n.RegionID != n.NeighbourID, "neighbour", "a region is not its own neighbour; give two regions"),
		check(n.RegionID.String() < n.NeighbourID.String(), "neighbour", "a pair stands once, the lower id first"),
		oneOf("source", n.Source, SharedBorder, ListedPair),
		ordered("validTo", n.ValidFrom, n.ValidTo),
	)
}

// BoundaryRow is a feature of a file of outlines; its natural key is the code of the region.
type BoundaryRow struct {
	Line     int      // number of the feature, from 1
	Code     string   // of the region, 12 digits
	Boundary Boundary // without the id
}

// NeighbourRow is a line of a file of neighbours: two regions by their codes.
type NeighbourRow struct {
	Line   int
	Codes  [2]string
	Source NeighbourSource
	From   *time.Time // days between which they touch; nil = always
	To     *time.Time
}

// Outline is what neighbours are found from.
type Outline struct {
	Code    string
	Level   RegionLevel
	GeoJSON string
}
