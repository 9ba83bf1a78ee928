package graph

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

// evidenceOf is what the regions of a campaign look like: as given, or else as the warehouse knows it now.
func (r *Resolver) evidenceOf(ctx context.Context, ids *refs, in model.SelectCampaignInput) groundwork.HotspotEvidence {
	if given := in.Evidence.Value(); given != nil {
		return ids.evidence(*given)
	}
	campaign := ids.one(in.CampaignID, model.TypeCampaign, "campaignId")
	if ids.err != nil {
		return groundwork.HotspotEvidence{}
	}
	evidence, err := r.measureEvidence(ctx, campaign, in)
	ids.err = err
	return evidence
}

// measureEvidence asks for H1 of the campaign's matter, over the whole ranking.
func (r *Resolver) measureEvidence(ctx context.Context, id uuid.UUID, in model.SelectCampaignInput) (groundwork.HotspotEvidence, error) {
	found, err := r.store.CampaignsByID(ctx, []uuid.UUID{id})
	if err != nil || found[id] == nil { // what does not exist is refused by the step
		return groundwork.HotspotEvidence{}, err
	}
	if r.measures == nil {
		return groundwork.HotspotEvidence{}, unavailable(nil)
	}
	watermark, err := r.measures.Watermark(ctx)
	if err != nil {
		return groundwork.HotspotEvidence{}, r.warehouseError(ctx, err)
	}
	known := groundwork.Moment(r.knownUntil(watermark))
	q := warehouse.Question{From: new(known.AddDate(-1, 0, 0)), To: &known, Query: warehouse.Query{
		By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: string(in.EvidenceLevel), AsOf: &known, Limit: maxCells,
	}}
	if from := in.EvidenceFrom.Value(); from != nil {
		q.From = from
	}
	if matter := found[id].CategoryID; matter != nil {
		q.Where.Categories = []string{matter.String()}
	}
	table, err := r.measure(ctx, "H1", q, nil)
	if err != nil {
		return groundwork.HotspotEvidence{}, err
	}
	version, err := strconv.Atoi(table.DefinitionVersion)
	return groundwork.HotspotEvidence{DefinitionVersion: version, From: *q.From, To: *q.To, AsOf: known, Cells: evidenceCells(table, found[id].CategoryID)}, err
}

// evidenceCells are the rows of H1 that have a rate.
func evidenceCells(t *model.MeasureTable, matter *uuid.UUID) []groundwork.HotspotCell {
	number := map[string][]*float64{}
	for _, n := range t.Nums {
		number[n.Name] = n.Value
	}
	var cells []groundwork.HotspotCell
	var issues, years float64
	for i, key := range t.Dims[0].Keys {
		region, err := uuid.Parse(key.ID)
		rate, raw, weight, personYears := number["rate"][i], number["rawRate"][i], number["weight"][i], number["personYears"][i]
		if err != nil || rate == nil || raw == nil || weight == nil || personYears == nil {
			continue
		}
		c := groundwork.HotspotCell{RegionID: region, CategoryID: matter, Issues: int(t.Table.N[i]), PersonYears: *personYears, RawRate: *raw, Rate: *rate, Weight: *weight}
		if rank := number["rank"][i]; rank != nil {
			c.Rank = int(*rank)
		}
		issues, years = issues+float64(t.Table.N[i]), years+*personYears
		cells = append(cells, c)
	}
	for i := range cells {
		cells[i].CommonRate = 1000 * issues / years
	}
	return cells
}
