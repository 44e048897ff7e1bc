/** `spec.probe` of a SipProxy: how it is found out which proxies live. Not here: probing (operator, dataplane). */
import { z } from 'zod'
import { duration } from './duration.ts'
import { withRules } from './rules.ts'
import { spelt } from './text.ts'

const sipUri = spelt({
  pattern: /^sips?:[!#-;=?-~]+$/,
  spelling: 'a SIP URI such as "sip:probe@example.com"',
  lengthMax: 255,
})

const statusCode = spelt({
  pattern: /^[2-6]([0-9]{2}|xx)$/,
  spelling: 'a status code such as "404" or a class such as "2xx"',
  lengthMax: 3,
})

export const probeSchema = withRules(
  z.strictObject({
    interval: duration('50ms', '60s')
      .prefault('500ms')
      .describe('Time between two probes of one proxy.'),
    timeout: duration('10ms', '60s')
      .prefault('400ms')
      .describe('How long an answer is waited for. At most `interval`.'),
    fall: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe(
        'Unanswered probes in a row after which a proxy is down. A silent proxy is noticed within `interval` * `fall` + `timeout`; an ICMP refusal is noticed at once.',
      ),
    rise: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe('Answered probes in a row after which a proxy that was down is up again.'),
    acceptedCodes: z
      .array(statusCode)
      .min(1)
      .max(32)
      .default(['2xx', '404', '405', '483'])
      .describe(
        'Status codes, or classes such as `2xx`, that count as an answer of a proxy in good health. Any other final response is as bad as none; 503 with Retry-After means that the proxy takes no new users.',
      ),
    requestUri: sipUri
      .optional()
      .describe(
        'Request-URI of the OPTIONS. Default: `sip:` and the address and port of the proxy.',
      ),
    from: sipUri
      .optional()
      .describe(
        'URI in the From header of the OPTIONS. Default: `sip:sipcast@` and the address that it is sent from.',
      ),
  }),
  [
    {
      cel: 'duration(self.timeout) <= duration(self.interval)',
      message: 'must not be longer than interval',
      holds: (probe) => probe.timeout <= probe.interval,
      path: ['timeout'],
    },
  ],
).transform(({ interval, timeout, requestUri, from, ...rest }) => ({
  ...rest,
  intervalMs: interval,
  timeoutMs: timeout,
  requestUri: requestUri ?? null,
  from: from ?? null,
}))
