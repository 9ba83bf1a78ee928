package main

import (
	"context"

	"groundwork/internal/app"
)

type importBoundaries struct {
	referenceOptions
	CodeProperty string   `help:"Property of the features that has the code; code, adcode and 区划代码 are known." placeholder:"NAME"`
	Source       string   `help:"Who drew the outlines." default:"import" placeholder:"WHO"`
	KeepPairs    bool     `help:"Do not find anew which regions touch."`
	Files        []string `arg:"" name:"file" help:"FeatureCollections of GeoJSON (RFC 7946, WGS 84): a Polygon or MultiPolygon for each region." type:"existingfile"`
}

func (importBoundaries) Help() string {
	return `Outlines make maps possible, and the measures that look around a region. The regions must be there (groundwork import regions); a region
without a place gets the centroid of its outline. Codes of fewer than 12 digits are filled up with zeros. Two regions of one level touch
where their borders come within a metre of each other, in a line or a corner; pairs that no longer touch are removed, listed ones stay.
Coordinates are not converted: those of GCJ-02 or in metres of a projection must be turned into WGS 84 first.

Examples:
  groundwork import boundaries --source "Bureau of Surveying 2025" counties.geojson
  groundwork import boundaries --dry-run --code-property gb townships.geojson`
}

func (i importBoundaries) Run(ctx context.Context, c *Common) error {
	return i.job(c).Boundaries(ctx, i.Files, app.BoundaryOptions{CodeProperty: i.CodeProperty, Source: i.Source, KeepPairs: i.KeepPairs})
}

type importNeighbours struct {
	referenceOptions
	Replace bool     `help:"Pairs listed earlier, at the levels of the files, go unless the file names them."`
	Files   []string `arg:"" name:"file" help:"CSV files with the columns region, neighbour and, optional, valid_from, valid_to." type:"existingfile"`
}

func (importNeighbours) Help() string {
	return `For regions without outlines, and for those that belong together though no border is shared, such as an island and where its bridge ends.
Each pair stands once, in either order.

Example:
  groundwork import neighbours bridges.csv`
}

func (i importNeighbours) Run(ctx context.Context, c *Common) error {
	job := i.job(c)
	job.Replace = i.Replace
	return job.Neighbours(ctx, i.Files)
}
