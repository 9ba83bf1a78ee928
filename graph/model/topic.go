package model

import "groundwork/warehouse"

// TopicPulse is what people speak of more than before, with the words.
type TopicPulse struct {
	*warehouse.TopicPulse
	Topics            []Topic
	Unread            int
	DefinitionVersion string
}

// Topic is a term with its word.
type Topic struct {
	warehouse.Topic
	Word string
}

// Ratio is the ratio of odds; RatioLow and RatioHigh are the ends of its interval.
func (t *Topic) Ratio() float64     { return t.Contrast.Ratio.Value }
func (t *Topic) RatioLow() float64  { return t.Contrast.Ratio.Interval.Lo }
func (t *Topic) RatioHigh() float64 { return t.Contrast.Ratio.Interval.Hi }

// Z is its logarithm by the standard error.
func (t *Topic) Z() float64 { return t.Contrast.Z }

// P is one-sided.
func (t *Topic) P() float64 { return t.Contrast.P }
