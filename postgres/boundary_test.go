package postgres_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres/pgtest"
)

func box(line int, code string, west float64) groundwork.BoundaryRow {
	return groundwork.BoundaryRow{Line: line, Code: code, Boundary: groundwork.Boundary{
		GeoJSON: `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`, South: 0, West: west, North: 1, East: west + 1, Latitude: 0.5, Longitude: west + 0.5, Source: "test"}}
}

func listed(line int, a, b string) groundwork.NeighbourRow {
	return groundwork.NeighbourRow{Line: line, Codes: [2]string{a, b}, Source: groundwork.ListedPair}
}

func TestImportBoundariesAndNeighbours(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.NewDB(t), t.Context()
	placed := regionRow(5, "990103000000", "A3区")
	placed.Region.Latitude, placed.Region.Longitude = new(1.0), new(2.0)
	_, err := db.ImportRegions(ctx, clerk, []groundwork.RegionRow{regionRow(1, "990000000000", "Z省"), regionRow(2, "990100000000", "A市"),
		regionRow(3, "990101000000", "A1区"), regionRow(4, "990102000000", "A2区"), placed}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	ids := map[string]uuid.UUID{}
	for _, code := range []string{"990100000000", "990101000000", "990102000000", "990103000000"} {
		r, err := db.RegionByCode(ctx, code)
		require.NoError(t, err)
		ids[code] = r.ID
	}

	rows := []groundwork.BoundaryRow{box(1, "990101000000", 0), box(2, "990103000000", 1), box(3, "990199000000", 2), box(4, "990102000000", 3)}
	rows[3].Boundary.East = 3
	result, err := db.ImportBoundaries(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{2, 0, 0, 0}, counted(result))
	require.Equal(t, []string{"code", "geometry"}, []string{result.Refused[0].Field, result.Refused[1].Field})
	rows[0].Boundary.Source = "other"
	result, err = db.ImportBoundaries(ctx, clerk, rows[:2], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 1, 1, 0}, counted(result))

	found, err := db.BoundariesOf(ctx, []uuid.UUID{ids["990101000000"], ids["990102000000"]})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "other", found[ids["990101000000"]].Source)
	first, err := db.RegionByCode(ctx, "990101000000")
	require.NoError(t, err)
	require.Equal(t, 0.5, *first.Latitude, "a region without a place gets the centroid")
	third, err := db.RegionByCode(ctx, "990103000000")
	require.NoError(t, err)
	require.Equal(t, 1.0, *third.Latitude, "and one with a place keeps it")
	outlines, err := db.Outlines(ctx, groundwork.County)
	require.NoError(t, err)
	require.Len(t, outlines, 2)

	pairs := []groundwork.NeighbourRow{listed(2, "990102000000", "990101000000"), listed(3, "990101000000", "990101000000"), listed(4, "990101000000", "990100000000"), listed(5, "990101000000", "1")}
	result, err = db.ImportNeighbours(ctx, clerk, pairs, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 0, 0, 0}, counted(result))
	require.Len(t, result.Refused, 3)
	require.Contains(t, result.Refused[1].Reason, "neighbours are of one level")
	border := listed(0, "990101000000", "990103000000")
	border.Source = groundwork.SharedBorder
	result, err = db.ImportNeighbours(ctx, clerk, []groundwork.NeighbourRow{border}, groundwork.ReferenceOptions{Replace: true})
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 0, 0, 0}, counted(result), "what is listed stays when borders are found anew")
	over := listed(1, "990102000000", "990103000000")
	over.To = new(date("2001-01-01"))
	result, err = db.ImportNeighbours(ctx, clerk, []groundwork.NeighbourRow{over}, groundwork.ReferenceOptions{Replace: true})
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 0, 0, 1}, counted(result), "a listed pair that is not given goes")

	near, err := db.NeighboursOf(ctx, []uuid.UUID{ids["990101000000"], ids["990103000000"]})
	require.NoError(t, err)
	require.Len(t, near[ids["990101000000"]], 1)
	require.Equal(t, "990103000000", near[ids["990101000000"]][0].Code)
	require.Equal(t, "990101000000", near[ids["990103000000"]][0].Code, "both ways, and without the pair that is over")
}

// The database holds the rules too, whoever writes.
func TestBoundariesAreHeldByTheDatabase(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := pgx.Connect(ctx, pgtest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close(context.WithoutCancel(ctx)) })
	_, err = db.Exec(ctx, `INSERT INTO region (id, code, level, parent_id, name) VALUES
		('00000000-0000-7000-8000-000000000001', '990000000000', 'PROVINCE', NULL, 'Z省'), ('00000000-0000-7000-8000-000000000002', '990100000000', 'PREFECTURE', '00000000-0000-7000-8000-000000000001', 'A市'),
		('00000000-0000-7000-8000-000000000003', '990200000000', 'PREFECTURE', '00000000-0000-7000-8000-000000000001', 'B市')`)
	require.NoError(t, err)
	for rule, statement := range map[string]string{
		"geojson_check":           `INSERT INTO region_boundary VALUES ('00000000-0000-7000-8000-000000000001', '{"type":"Point","coordinates":[0,0]}', 0, 0, 1, 1, 0.5, 0.5, 's')`,
		"invalid input syntax":    `INSERT INTO region_boundary VALUES ('00000000-0000-7000-8000-000000000001', 'x', 0, 0, 1, 1, 0.5, 0.5, 's')`,
		"region_boundary":         `INSERT INTO region_boundary VALUES ('00000000-0000-7000-8000-000000000001', '{"type":"Polygon","coordinates":[]}', 0, 0, 1, 1, 1.5, 0.5, 's')`,
		"not of one level":        `INSERT INTO region_neighbour VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 'LIST')`,
		"region_neighbour_check":  `INSERT INTO region_neighbour VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000002', 'LIST')`,
		"region_neighbour_source": `INSERT INTO region_neighbour VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003', 'GUESS')`,
		"region_boundary_check":   `INSERT INTO region_boundary VALUES ('00000000-0000-7000-8000-000000000001', '{"type":"Polygon","coordinates":[]}', 0, 0, 91, 1, 0.5, 0.5, 's')`,
	} {
		_, err := db.Exec(ctx, statement)
		require.ErrorContains(t, err, rule)
	}
}
