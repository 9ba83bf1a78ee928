package model

// The named columns of the measures, under the names of their definitions in package warehouse.

// Responded24h is the column responded_24h.
func (t *MeasureTable) Responded24h() *NumberColumn { return t.Number("responded_24h") }

// Median is the column median.
func (t *MeasureTable) Median() *NumberColumn { return t.Number("median") }

// P90 is the column p90.
func (t *MeasureTable) P90() *NumberColumn { return t.Number("p90") }

// Confirmed30d is the column confirmed_30d.
func (t *MeasureTable) Confirmed30d() *NumberColumn { return t.Number("confirmed_30d") }

// Confirmed60d is the column confirmed_60d.
func (t *MeasureTable) Confirmed60d() *NumberColumn { return t.Number("confirmed_60d") }

// Confirmed90d is the column confirmed_90d.
func (t *MeasureTable) Confirmed90d() *NumberColumn { return t.Number("confirmed_90d") }

// Rmst90d is the column rmst_90d.
func (t *MeasureTable) Rmst90d() *NumberColumn { return t.Number("rmst_90d") }

// Bound90dLow is the column bound_90d_low.
func (t *MeasureTable) Bound90dLow() *NumberColumn { return t.Number("bound_90d_low") }

// Bound90dHigh is the column bound_90d_high.
func (t *MeasureTable) Bound90dHigh() *NumberColumn { return t.Number("bound_90d_high") }

// AgeMedian is the column age_median.
func (t *MeasureTable) AgeMedian() *NumberColumn { return t.Number("age_median") }

// AgeP90 is the column age_p90.
func (t *MeasureTable) AgeP90() *NumberColumn { return t.Number("age_p90") }

// Over60d is the column over_60d.
func (t *MeasureTable) Over60d() *NumberColumn { return t.Number("over_60d") }

// Over90d is the column over_90d.
func (t *MeasureTable) Over90d() *NumberColumn { return t.Number("over_90d") }

// Inflow28d is the column inflow_28d.
func (t *MeasureTable) Inflow28d() *NumberColumn { return t.Number("inflow_28d") }

// Outflow28d is the column outflow_28d.
func (t *MeasureTable) Outflow28d() *NumberColumn { return t.Number("outflow_28d") }

// FlowRatio is the column flow_ratio.
func (t *MeasureTable) FlowRatio() *NumberColumn { return t.Number("flow_ratio") }

// CrudeRate is the column crude_rate.
func (t *MeasureTable) CrudeRate() *NumberColumn { return t.Number("crude_rate") }

// Rate is the column rate.
func (t *MeasureTable) Rate() *NumberColumn { return t.Number("rate") }

// PersonYears is the column person_years.
func (t *MeasureTable) PersonYears() *NumberColumn { return t.Number("person_years") }

// Weight is the column weight.
func (t *MeasureTable) Weight() *NumberColumn { return t.Number("weight") }

// Repeats is the column repeats.
func (t *MeasureTable) Repeats() *NumberColumn { return t.Number("repeats") }
