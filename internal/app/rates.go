package app

import (
	"errors"
	"fmt"

	"groundwork"
	"groundwork/throttle"
)

// RateConfig says how much callers may ask for: RATE/BURST, points a second and points at most; "off", or empty for the default.
type RateConfig struct {
	Account     string // of an account
	Address     string // of an address, of those without an account
	Submissions string // opinions submitted without an account, from an address
}

// The defaults where others than this machine reach the API. A page of a hundred issues with their opinions costs some hundred points; an address is
// often that of a whole office or village.
const (
	defaultAccountRate    = "500/20000"
	defaultAddressRate    = "300/10000"
	defaultSubmissionRate = "0.5/60"
)

// meter counts what callers ask for. An API that answers to this machine alone counts nothing unless it is told to: whoever is here may do worse,
// and loads and benchmarks come from here.
func (r RateConfig) meter(c Config) (groundwork.Meter, error) {
	open := c.AllowUnauthenticated || c.Auth.on()
	read := func(option, text, byDefault string) (*throttle.Bucket, error) {
		if text == "" {
			text = "off"
			if open {
				text = byDefault
			}
		}
		bucket, err := throttle.ParseBucket(text)
		if err != nil {
			return nil, fmt.Errorf("%s %w", option, err)
		}
		return bucket, nil
	}
	var limits throttle.Config
	var faults [3]error
	limits.Account, faults[0] = read("--rate-account (GROUNDWORK_RATE_ACCOUNT)", r.Account, defaultAccountRate)
	limits.Address, faults[1] = read("--rate-address (GROUNDWORK_RATE_ADDRESS)", r.Address, defaultAddressRate)
	limits.Submissions, faults[2] = read("--rate-submissions (GROUNDWORK_RATE_SUBMISSIONS)", r.Submissions, defaultSubmissionRate)
	if err := errors.Join(faults[:]...); err != nil {
		return nil, err
	}
	if limits.Off() {
		return groundwork.Unlimited{}, nil
	}
	return throttle.New(limits), nil
}
