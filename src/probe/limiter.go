package probe

import (
	"time"

	"github.com/ebpfless/ebpfless/src/secl"
)

// maxBuckets bounds what one rule's limiter_token can make: the original keeps as many.
const maxBuckets = 500

// limiter holds rules back that hit too often: a burst and then a rate, or one detection per Every.
type limiter struct {
	burst, rate float64
	rules       map[string]map[string]*bucket
}

type bucket struct {
	tokens float64
	last   time.Time
}

func newLimiter(burst, rate int) *limiter {
	return &limiter{burst: float64(burst), rate: float64(rate), rules: map[string]map[string]*bucket{}}
}

// allow takes one token of the rule, or of what its limiter_token stands for.
func (l *limiter) allow(rule *secl.RuleDef, token string, now time.Time) bool {
	burst, rate := l.burst, l.rate
	if rule.Every > 0 {
		burst, rate = 1, float64(time.Second)/float64(rule.Every)
	}
	buckets := l.rules[rule.ID]
	if buckets == nil {
		buckets = map[string]*bucket{}
		l.rules[rule.ID] = buckets
	}
	b := buckets[token]
	if b == nil {
		if len(buckets) >= maxBuckets {
			clear(buckets) // the oldest would do, and needs a list; forgetting lets too much through, never too little
		}
		b = &bucket{tokens: burst, last: now}
		buckets[token] = b
	}
	b.tokens = min(burst, b.tokens+now.Sub(b.last).Seconds()*rate)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
