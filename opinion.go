package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// Channel is the way by which an opinion came in.
type Channel string

// The channels.
const (
	ChannelVisit        Channel = "VISIT"
	ChannelReception    Channel = "RECEPTION"
	ChannelOnline       Channel = "ONLINE"
	ChannelHotline      Channel = "HOTLINE"
	ChannelMessageBoard Channel = "MESSAGE_BOARD"
	ChannelLetter       Channel = "LETTER"
	ChannelApp          Channel = "APP"
	ChannelOpen311      Channel = "OPEN311"
)

// Channels lists the channels.
var Channels = []Channel{ChannelVisit, ChannelReception, ChannelOnline, ChannelHotline, ChannelMessageBoard, ChannelLetter, ChannelApp, ChannelOpen311}

// OpinionKind is what the reporter wants.
type OpinionKind string

// The kinds of opinions.
const (
	Inquiry    OpinionKind = "INQUIRY"
	Help       OpinionKind = "HELP"
	Complaint  OpinionKind = "COMPLAINT"
	Report     OpinionKind = "REPORT"
	Suggestion OpinionKind = "SUGGESTION"
	Thanks     OpinionKind = "THANKS"
)

// OpinionKinds lists the kinds of opinions.
var OpinionKinds = []OpinionKind{Inquiry, Help, Complaint, Report, Suggestion, Thanks}

// Precision says how exactly a time is known.
type Precision string

// The precisions.
const (
	ToTheSecond Precision = "SECOND"
	ToTheDay    Precision = "DAY"
)

// Confidential is the confidentiality of an opinion whose words only those see who handle it.
const Confidential = "CONFIDENTIAL"

// Opinion is what one reporter said once. It is never dropped and never merged: repeats are linked to the same issue.
type Opinion struct {
	ID                uuid.UUID
	Source            string // "groundwork", or the import source
	ExternalID        *string
	Channel           Channel
	Kind              OpinionKind
	ReceivedAt        time.Time
	ReceivedPrecision Precision
	OccurredAt        *time.Time
	VisitID           *uuid.UUID
	ReporterPID       *uuid.UUID
	Subject           string
	Text              string
	Latitude          *float64
	Longitude         *float64
	PrecisionM        *int
	RegionID          *uuid.UUID // nil = unknown
	SiteID            *uuid.UUID
	Confidentiality   string // PUBLIC, NAME_HIDDEN or CONFIDENTIAL
	Supported         int
	Opposed           int
	CreatedAt         time.Time
	RedactedAt        *time.Time `json:",omitempty"` // when its words and its exact place were taken away, as the rules of retention say; nil = they stand

	// Contact is of whoever gave it, when it is submitted; it goes to the vault and is never read back with the opinion. It is no part of what tells a
	// request from another: its digest in a receipt could be guessed.
	Contact *Contact `db:"-" json:"-"`

	// Secret proves who gave the opinion. It is known once, when the opinion is submitted.
	Secret string `db:"-" json:"-"`
}
