package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// importing is one run of an import.
type importing struct {
	batch      groundwork.ImportBatch
	actor      groundwork.Actor
	id         uuid.UUID
	regions    map[string]uuid.UUID // by code
	categories map[string]uuid.UUID // by code
	secretKey  groundwork.SecretKey
	strangers  map[string]uuid.UUID // pseudonyms by name, where there is no key to find anybody again
	result     groundwork.ImportResult
}

func newImporting(b groundwork.ImportBatch, key groundwork.SecretKey) *importing {
	return &importing{
		batch: b, secretKey: key, strangers: map[string]uuid.UUID{}, actor: groundwork.Actor{ID: b.Source, Role: groundwork.RoleSystem}, id: uuid.Must(uuid.NewV7()),
		regions: map[string]uuid.UUID{}, categories: map[string]uuid.UUID{},
	}
}

// run takes the rows in, chunk by chunk, each in a transaction of its own that inTx opens.
func (im *importing) run(ctx context.Context, inTx func(func(pgx.Tx) error) error, progress func(done int)) error {
	done := 0
	for n, matters := range chunks(im.batch.Rows) {
		before := im.result
		err := inTx(func(tx pgx.Tx) error {
			if n == 0 {
				if err := im.begin(ctx, tx); err != nil {
					return err
				}
			}
			if err := im.chunk(ctx, tx, matters); err != nil {
				return err
			}
			return im.count(ctx, tx)
		})
		if err != nil {
			im.result = before
			return err
		}
		for _, m := range matters {
			done += len(m)
		}
		progress(done)
	}
	return nil
}

// chunks divides rows into groups of whole matters, some hundred rows each; there is always at least one chunk.
func chunks(rows []groundwork.ImportRow) [][][]groundwork.ImportRow {
	at := map[uuid.UUID]int{}
	var matters [][]groundwork.ImportRow
	for _, r := range rows {
		n, ok := at[r.Matter]
		if !ok {
			n = len(matters)
			at[r.Matter] = n
			matters = append(matters, nil)
		}
		matters[n] = append(matters[n], r)
	}
	chunks := [][][]groundwork.ImportRow{nil}
	size := 0
	for _, m := range matters {
		if size >= importChunk {
			chunks = append(chunks, nil)
			size = 0
		}
		chunks[len(chunks)-1] = append(chunks[len(chunks)-1], m)
		size += len(m)
	}
	return chunks
}

func (im *importing) begin(ctx context.Context, tx pgx.Tx) error {
	return add(ctx, tx, "import_batch", pgx.NamedArgs{
		"id": im.id, "source": im.batch.Source, "file_name": im.batch.FileName, "sha256": im.batch.SHA256,
		"observed_until": im.batch.ObservedUntil, "rows_read": im.batch.RowsRead, "rows_rejected": im.batch.RowsRejected,
		"opinions_added": 0, "issues_added": 0, "recorded_by": im.actor.ID,
	})
}

func (im *importing) count(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE import_batch SET opinions_added = @opinions, issues_added = @issues WHERE id = @id",
		pgx.NamedArgs{"opinions": im.result.OpinionsAdded, "issues": im.result.IssuesAdded, "id": im.id})
	return err
}

// known is an opinion that is there already.
type known struct {
	ID         uuid.UUID
	ExternalID string
	IssueID    uuid.UUID
	ReceivedAt time.Time
	Supported  int
	Opposed    int
}

// chunk takes some matters in: places, categories and pseudonyms first, then what each row adds, planned by the rules of the life
// cycle, then everything in bulk.
func (im *importing) chunk(ctx context.Context, tx pgx.Tx, matters [][]groundwork.ImportRow) error {
	rows := slices.Concat(matters...)
	if err := im.addRegions(ctx, tx, rows); err != nil {
		return err
	}
	if err := im.addCategories(ctx, tx, rows); err != nil {
		return err
	}
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.ExternalID)
	}
	pids, err := im.pseudonyms(ctx, tx, rows)
	if err != nil {
		return err
	}
	there, err := im.knownOpinions(ctx, tx, ids)
	if err != nil {
		return err
	}
	w := &writing{importing: im, pids: pids, known: there}
	if err := w.lock(ctx, tx, matters); err != nil {
		return err
	}
	for _, m := range matters {
		if err := w.matter(m); err != nil {
			return err
		}
	}
	return w.flush(ctx, tx)
}

// pseudonyms finds those of whom the rows name. The vault knows them by a keyed hash of the name; without a key it keeps none, and nobody is
// found again in another import.
func (im *importing) pseudonyms(ctx context.Context, tx pgx.Tx, rows []groundwork.ImportRow) (map[string]uuid.UUID, error) {
	named := map[string]string{} // by the hash
	for _, r := range rows {
		if r.ReporterKey == "" {
			continue
		}
		key, ok := im.secretKey.ReporterKey(im.batch.Source, r.ReporterKey)
		if ok {
			named[key] = r.ReporterKey
		} else if _, met := im.strangers[r.ReporterKey]; !met {
			im.strangers[r.ReporterKey] = uuid.New()
		}
	}
	if len(im.secretKey) == 0 {
		return im.strangers, nil
	}
	hashed, err := pseudonyms(ctx, tx, im.batch.Source, slices.Collect(maps.Keys(named)))
	pids := make(map[string]uuid.UUID, len(hashed))
	for key, pid := range hashed {
		pids[named[key]] = pid
	}
	return pids, err
}

func (im *importing) knownOpinions(ctx context.Context, tx pgx.Tx, externalIDs []string) (map[string]known, error) {
	items, err := collect[known](ctx, tx, "look for known opinions", `
		SELECT o.id, o.external_id, link.issue_id, o.received_at, o.supported, o.opposed
		FROM opinion o JOIN issue_opinion link ON link.opinion_id = o.id
		WHERE o.source = @source AND o.external_id = ANY(@ids)`, pgx.NamedArgs{"source": im.batch.Source, "ids": externalIDs})
	found := make(map[string]known, len(items))
	for _, k := range items {
		found[k.ExternalID] = k
	}
	return found, err
}

// addRegions adds the places that the rows name, each below the one before it.
func (im *importing) addRegions(ctx context.Context, tx pgx.Tx, rows []groundwork.ImportRow) error {
	for _, r := range rows {
		var parent *uuid.UUID
		for _, place := range r.Region {
			id, ok := im.regions[place.Code]
			if !ok {
				var err error
				if id, err = im.region(ctx, tx, place, parent); err != nil {
					return err
				}
				im.regions[place.Code] = id
			}
			parent = &id
		}
	}
	return nil
}

func (im *importing) region(ctx context.Context, tx pgx.Tx, place groundwork.ImportRegion, parent *uuid.UUID) (uuid.UUID, error) {
	there, err := regionByCode(ctx, tx, place.Code)
	if err != nil || there != nil {
		return idOf(there), err
	}
	region := groundwork.Region{Code: place.Code, Level: place.Level, Name: place.Name, ParentID: parent}
	if err := region.Validate(); err != nil {
		return uuid.Nil, err
	}
	added, err := addRegion(ctx, tx, im.actor, region)
	if err != nil {
		return uuid.Nil, err
	}
	im.result.RegionsAdded++
	return added.ID, nil
}

func idOf(r *groundwork.Region) uuid.UUID {
	if r == nil {
		return uuid.Nil
	}
	return r.ID
}

// addCategories adds the categories that the rows name. A source codes the last one alone; those above it are coded by their names.
func (im *importing) addCategories(ctx context.Context, tx pgx.Tx, rows []groundwork.ImportRow) error {
	for _, r := range rows {
		if _, ok := im.categories[r.CategoryCode]; ok || r.CategoryCode == "" {
			continue
		}
		path := r.CategoryPath
		if len(path) == 0 {
			path = []string{r.CategoryCode}
		}
		var parent *uuid.UUID
		for n := range path {
			code := strings.Join(path[:n+1], "/")
			if n == len(path)-1 {
				code = r.CategoryCode
			}
			id, err := im.category(ctx, tx, groundwork.Category{Code: code, Name: path[n], ParentID: parent})
			if err != nil {
				return err
			}
			parent = &id
		}
	}
	return nil
}

func (im *importing) category(ctx context.Context, tx pgx.Tx, c groundwork.Category) (uuid.UUID, error) {
	if id, ok := im.categories[c.Code]; ok {
		return id, nil
	}
	ids, err := scalars[uuid.UUID](ctx, tx, "look for category", "SELECT id FROM category WHERE code = @code ORDER BY version DESC LIMIT 1", pgx.NamedArgs{"code": c.Code})
	if err != nil {
		return uuid.Nil, err
	}
	if len(ids) == 0 {
		c.ValidFrom = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) // the source does not say since when
		added, err := addCategory(ctx, tx, im.actor, c)
		if err != nil {
			return uuid.Nil, err
		}
		im.result.CategoriesAdded++
		ids = []uuid.UUID{added.ID}
	}
	im.categories[c.Code] = ids[0]
	return ids[0], nil
}

// earliestFirst orders rows by when they were received, then by their place in the file.
func earliestFirst(rows []groundwork.ImportRow) []groundwork.ImportRow {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b groundwork.ImportRow) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), a.Line-b.Line)
	})
}

// titleOf is the subject, or for sources without subjects the start of the text, or the category.
func titleOf(r groundwork.ImportRow) string {
	const longest = 80
	title := strings.TrimSpace(r.Subject)
	if title == "" {
		title = strings.TrimSpace(r.Text)
	}
	if title == "" && len(r.CategoryPath) > 0 {
		title = r.CategoryPath[len(r.CategoryPath)-1]
	}
	if r.Subject == "" && utf8.RuneCountInString(title) > longest {
		title = string([]rune(title)[:longest]) + "…"
	}
	return title
}
