package model

// The number columns of the measures. A column has the same name here, in the schema and in package warehouse.

func (t *MeasureTable) AgeP50Days() *NumberColumn          { return t.number("ageP50Days") }
func (t *MeasureTable) AgeP90Days() *NumberColumn          { return t.number("ageP90Days") }
func (t *MeasureTable) AwaitingFeedback() *NumberColumn    { return t.number("awaitingFeedback") }
func (t *MeasureTable) Confirmed() *NumberColumn           { return t.number("confirmed") }
func (t *MeasureTable) Confirmed30() *NumberColumn         { return t.number("confirmed30") }
func (t *MeasureTable) Confirmed30Lower() *NumberColumn    { return t.number("confirmed30Lower") }
func (t *MeasureTable) Confirmed30Upper() *NumberColumn    { return t.number("confirmed30Upper") }
func (t *MeasureTable) Confirmed60() *NumberColumn         { return t.number("confirmed60") }
func (t *MeasureTable) Confirmed60Lower() *NumberColumn    { return t.number("confirmed60Lower") }
func (t *MeasureTable) Confirmed60Upper() *NumberColumn    { return t.number("confirmed60Upper") }
func (t *MeasureTable) Confirmed90() *NumberColumn         { return t.number("confirmed90") }
func (t *MeasureTable) Confirmed90Lower() *NumberColumn    { return t.number("confirmed90Lower") }
func (t *MeasureTable) Confirmed90Upper() *NumberColumn    { return t.number("confirmed90Upper") }
func (t *MeasureTable) ExplainedOrReferred() *NumberColumn { return t.number("explainedOrReferred") }
func (t *MeasureTable) FlowRatio() *NumberColumn           { return t.number("flowRatio") }
func (t *MeasureTable) Inflow28Days() *NumberColumn        { return t.number("inflow28Days") }
func (t *MeasureTable) Issues() *NumberColumn              { return t.number("issues") }
func (t *MeasureTable) MedianDays() *NumberColumn          { return t.number("medianDays") }
func (t *MeasureTable) NotObserved() *NumberColumn         { return t.number("notObserved") }
func (t *MeasureTable) Open() *NumberColumn                { return t.number("open") }
func (t *MeasureTable) Outflow28Days() *NumberColumn       { return t.number("outflow28Days") }
func (t *MeasureTable) P90Days() *NumberColumn             { return t.number("p90Days") }
func (t *MeasureTable) PersonYears() *NumberColumn         { return t.number("personYears") }
func (t *MeasureTable) Rank() *NumberColumn                { return t.number("rank") }
func (t *MeasureTable) Rate() *NumberColumn                { return t.number("rate") }
func (t *MeasureTable) RawRate() *NumberColumn             { return t.number("rawRate") }
func (t *MeasureTable) Repeats() *NumberColumn             { return t.number("repeats") }
func (t *MeasureTable) Responded() *NumberColumn           { return t.number("responded") }
func (t *MeasureTable) Responded24h() *NumberColumn        { return t.number("responded24h") }
func (t *MeasureTable) Responded30d() *NumberColumn        { return t.number("responded30d") }
func (t *MeasureTable) Responded7d() *NumberColumn         { return t.number("responded7d") }
func (t *MeasureTable) Rmst90Days() *NumberColumn          { return t.number("rmst90Days") }
func (t *MeasureTable) ShareOver60Days() *NumberColumn     { return t.number("shareOver60Days") }
func (t *MeasureTable) ShareOver90Days() *NumberColumn     { return t.number("shareOver90Days") }
func (t *MeasureTable) Unconfirmed() *NumberColumn         { return t.number("unconfirmed") }
func (t *MeasureTable) Weight() *NumberColumn              { return t.number("weight") }
func (t *MeasureTable) Withdrawn() *NumberColumn           { return t.number("withdrawn") }
