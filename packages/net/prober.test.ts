import { Message, Method, Scan, scan } from '@sipcast/sip'
import { describe, expect, it } from 'vitest'
import { impaired } from './impairment.ts'
import {
  answering,
  answerTo,
  PROBER_ADDRESS,
  ProberTrial,
  pseudoRandom,
  silent,
  target,
} from './prober.fixture.ts'

const PROXY = '10.0.1.1'

describe('a probe', () => {
  it('is an OPTIONS that any SIP stack can read', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(500)
    const { text } = proxy.requests[0]!
    const message = new Message()
    const bytes = Buffer.from(text, 'latin1')
    expect(scan(message, bytes, 0, bytes.length)).toBe(Scan.request)
    expect(message.method).toBe(Method.options)
    expect(text).toMatch(/^OPTIONS sip:10\.0\.1\.1:5060 SIP\/2\.0\r\n/)
    expect(text).toContain(`Via: SIP/2.0/UDP ${PROBER_ADDRESS}:5070;rport;branch=z9hG4bK`)
    expect(text).toContain('From: <sip:sipcast@10.0.0.1:5070>;tag=')
  })

  it('uses the URIs it is given', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    const uris = { requestUri: 'sip:ping@example.com', from: 'sip:pong@example.net' }
    trial.prober.setTargets([target('a', PROXY, uris)])
    trial.run(500)
    expect(proxy.requests[0]!.text).toMatch(/^OPTIONS sip:ping@example\.com SIP/)
    expect(proxy.requests[0]!.text).toContain('From: <sip:pong@example.net>;tag=')
  })

  it('has a branch and a CSeq of its own every time, and one Call-ID per target', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(3000)
    const all = (header: RegExp) => proxy.requests.map(({ text }) => header.exec(text)![1])
    expect(proxy.requests.length).toBeGreaterThanOrEqual(5)
    expect(new Set(all(/branch=(\S+)/)).size).toBe(proxy.requests.length)
    expect(new Set(all(/Call-ID: (\S+)/)).size).toBe(1)
    expect(all(/CSeq: (\d+)/)).toEqual(proxy.requests.map((_, index) => `${index + 1}`))
  })

  it('works over IPv6', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy(['fd00::2'], answering('200 OK'))
    trial.prober.setTargets([target('six', 'fd00::2')])
    trial.run(500)
    expect(proxy.requests[0]!.text).toMatch(/^OPTIONS sip:\[fd00::2\]:5060 /)
    expect(trial.outcomes('six')).toEqual(['accepted'])
  })
})

describe('an answer', () => {
  it.each([
    ['200 OK', '', 'accepted'],
    ['299 Whatever', '', 'accepted'],
    ['404 Not Found', '', 'accepted'],
    ['483 Too Many Hops', '', 'accepted'],
    ['403 Forbidden', '', 'rejected'],
    ['500 Server Error', '', 'rejected'],
    ['600 Busy', '', 'rejected'],
    ['503 Service Unavailable', '', 'rejected'],
    ['503 Service Unavailable', 'Retry-After: 30\r\n', 'unavailable'],
    ['500 Server Error', 'Retry-After: 30\r\n', 'rejected'],
  ])('of %s with "%s" means %s', (status, headers, outcome) => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], answering(status, 3, headers))
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(600)
    expect(trial.results[0]).toMatchObject({
      id: 'a',
      outcome,
      statusCode: Number(status.slice(0, 3)),
      rttMs: 3,
      retryAfterSeconds: outcome === 'unavailable' ? 30 : null,
    })
  })

  it('of 503 with Retry-After is a success where 503 is accepted', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], answering('503 Later', 0, 'Retry-After: 5\r\n'))
    trial.prober.setTargets([target('a', PROXY, { acceptedCodes: ['5xx'] })])
    trial.run(500)
    expect(trial.outcomes('a')).toEqual(['accepted'])
  })

  it('that is provisional leaves the probe under way', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], (request) => [
      { text: answerTo(request, '100 Trying'), afterMs: 1 },
      { text: answerTo(request, '200 OK'), afterMs: 20 },
    ])
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(600)
    expect(trial.results[0]).toMatchObject({ outcome: 'accepted', rttMs: 20 })
  })

  it('counts up to the deadline and not beyond', () => {
    const trial = new ProberTrial()
    trial.proxy(['10.0.1.1'], answering('200 OK', 399.9))
    trial.proxy(['10.0.1.2'], answering('200 OK', 400.1))
    trial.prober.setTargets([target('just in time', '10.0.1.1'), target('late', '10.0.1.2')])
    trial.run(5000)
    expect(new Set(trial.outcomes('just in time'))).toEqual(new Set(['accepted']))
    expect(new Set(trial.outcomes('late'))).toEqual(new Set(['timeout']))
    expect(trial.prober.strayAnswers).toBeGreaterThanOrEqual(8)
  })

  it('that is late does not count for the next probe', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], answering('200 OK', 505))
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(4000)
    expect(new Set(trial.outcomes('a'))).toEqual(new Set(['timeout']))
  })

  it('counts once, however often it comes', () => {
    const trial = new ProberTrial(() => [0, 0, 1])
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(5000)
    const probes = new Set(proxy.requests.map(({ text }) => text)).size
    expect(trial.outcomes('a')).toEqual(Array(probes).fill('accepted'))
    expect(trial.prober.strayAnswers).toBe(proxy.requests.length * 3 - probes)
  })

  it('with another branch is nobody’s', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], (request) => [
      {
        text: answerTo(request, '200 OK').replace(/branch=z9hG4bK.{4}/, 'branch=z9hG4bK0000'),
        afterMs: 0,
      },
      { text: answerTo(request, '200 OK').replace(/;branch=\S+/, ''), afterMs: 0 },
      { text: 'SIP/2.0 200 OK\r\n\r\n', afterMs: 0 },
      { text: '', afterMs: 0 },
      { text: request, afterMs: 0 },
    ])
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(1000)
    expect(new Set(trial.outcomes('a'))).toEqual(new Set(['timeout']))
  })

  it('that waited while the process stood still counts, and nobody else is blamed for it', () => {
    const trial = new ProberTrial()
    const addresses = Array.from({ length: 50 }, (_, index) => `10.0.1.${index + 1}`)
    for (const address of addresses) trial.proxy([address], answering('200 OK', 5))
    trial.prober.setTargets(addresses.map((address) => target(address, address)))
    for (let turn = 0; turn < 20; turn++) {
      trial.run(97)
      trial.stall(3000)
    }
    trial.run(500)
    expect(new Set(trial.results.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']))
  })
})

describe('silence', () => {
  it('is a timeout at exactly the deadline', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], silent)
    trial.prober.setTargets([target('a', PROXY, { timeoutMs: 333.25 })])
    trial.run(3000)
    expect(trial.results.length).toBeGreaterThanOrEqual(5)
    for (const [index, { atMs, outcome, rttMs, statusCode }] of trial.results.entries()) {
      expect(atMs).toBeCloseTo(proxy.requests[index]!.atMs + 333.25, 6)
      expect({ outcome, rttMs, statusCode }).toEqual({
        outcome: 'timeout',
        rttMs: null,
        statusCode: null,
      })
    }
  })

  it('of a proxy that hangs after an answer is found within interval·fall + timeout', () => {
    for (const timeoutMs of [400, 500]) {
      const trial = new ProberTrial()
      const proxy = trial.proxy([PROXY], answering('200 OK'))
      trial.prober.setTargets([target('a', PROXY, { timeoutMs })])
      trial.run(3000)
      const hungAtMs = trial.results.at(-1)!.atMs
      proxy.manner = silent
      trial.run(3000)
      const misses = trial.results.filter(({ outcome }) => outcome === 'timeout')
      expect(misses[1]!.atMs - hungAtMs).toBeLessThanOrEqual(500 * 2 + timeoutMs)
    }
  })

  it('because there is no socket is a timeout too: no hard evidence', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], answering('200 OK'))
    trial.hasSocket = false
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(1000)
    expect(new Set(trial.outcomes('a'))).toEqual(new Set(['timeout']))
    trial.hasSocket = true
    trial.run(1000)
    expect(trial.outcomes('a').at(-1)).toBe('accepted')
  })
})

describe('a refusal', () => {
  it('counts at once', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY])
    trial.prober.setTargets([target('a', PROXY)])
    trial.prober.probeNow('a')
    trial.run(0)
    expect(trial.results[0]).toMatchObject({ outcome: 'refused', atMs: 1000, statusCode: null })
  })

  it('comes for a probe that is sent once more, where the first was lost with the proxy', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], silent)
    trial.prober.setTargets([target('a', PROXY)])
    trial.prober.probeNow('a')
    trial.run(50)
    proxy.close()
    trial.prober.probeNow('a')
    trial.run(1)
    expect(trial.results).toMatchObject([{ outcome: 'refused', atMs: 1050 }])
  })

  it('concerns all targets at that endpoint and no other', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY])
    trial.proxy(['10.0.1.2'], silent)
    trial.prober.setTargets([
      target('pool one', PROXY),
      target('pool two', PROXY),
      target('other', '10.0.1.2'),
    ])
    for (const id of ['pool one', 'pool two', 'other']) trial.prober.probeNow(id)
    trial.run(1)
    expect(trial.results.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      'pool one refused',
      'pool two refused',
    ])
  })

  it('may come seconds later, from an address that nobody has', () => {
    const trial = new ProberTrial()
    trial.prober.setTargets([target('a', PROXY)])
    trial.prober.probeNow('a')
    trial.run(3059)
    expect(new Set(trial.outcomes('a'))).toEqual(new Set(['timeout']))
    trial.run(200)
    expect(trial.outcomes('a')).toContain('refused')
  })

  it('with no probe under way is ignored', () => {
    const trial = new ProberTrial(({ target: to }) => (to[4] === 5060 ? [0, 20] : [0]))
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    trial.prober.setTargets([target('a', PROXY, { intervalMs: 1000 })])
    trial.prober.probeNow('a')
    trial.run(10)
    proxy.close()
    trial.run(500)
    expect(trial.outcomes('a')).toEqual(['accepted'])
  })
})

it('a probe that is sent once more ends when it would have', () => {
  const trial = new ProberTrial()
  const proxy = trial.proxy([PROXY], silent)
  trial.prober.setTargets([target('a', PROXY)])
  trial.prober.probeNow('a')
  for (let turn = 0; turn < 3; turn++) {
    trial.run(100)
    trial.prober.probeNow('a')
  }
  trial.run(150)
  expect(trial.results).toMatchObject([{ outcome: 'timeout', atMs: 1400 }])
  const texts = proxy.requests.map(({ text }) => text)
  expect(texts).toHaveLength(4)
  expect(new Set(texts).size).toBe(1)
})

describe('the schedule', () => {
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, index) => `10.1.${index >> 8}.${index & 255}`)

  it('spreads new targets over their interval', () => {
    const trial = new ProberTrial()
    const addresses = crowd(1000)
    const proxies = addresses.map((address) => trial.proxy([address], answering('200 OK')))
    trial.prober.setTargets(addresses.map((address) => target(address, address)))
    const perTenth = Array<number>(10).fill(0)
    trial.run(500)
    for (const { requests } of proxies) perTenth[Math.floor((requests[0]!.atMs - 1000) / 50)]!++
    for (const count of perTenth) expect(Math.abs(count - 100)).toBeLessThan(40)
  })

  it('keeps every interval within a tenth below the asked one, one probe at a time', () => {
    const trial = new ProberTrial()
    const addresses = crowd(100)
    const proxies = addresses.map((address) => trial.proxy([address], answering('200 OK', 2)))
    trial.prober.setTargets(addresses.map((address) => target(address, address)))
    trial.run(10_000)
    for (const { requests } of proxies) {
      const gaps = requests.slice(1).map(({ atMs }, index) => atMs - requests[index]!.atMs)
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(449.99)
      expect(Math.max(...gaps)).toBeLessThanOrEqual(500.01)
    }
  })

  it('does not make up for missed turns after a standstill', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(1000)
    const before = proxy.requests.length
    trial.stall(10_000)
    trial.run(400)
    expect(proxy.requests.length - before).toBeLessThanOrEqual(2)
  })

  it('holds thousands of silent targets with one probe each under way', () => {
    const trial = new ProberTrial(impaired({ loss: 0.3, delayMaxMs: 600 }, pseudoRandom(7)))
    const addresses = crowd(5000)
    trial.proxy(addresses, silent)
    trial.prober.setTargets(
      addresses.map((address) => target(address, address, { intervalMs: 1000, port: 5061 })),
    )
    let underWayMax = 0
    for (let turn = 0; turn < 20; turn++) {
      trial.run(100)
      underWayMax = Math.max(underWayMax, trial.prober.underWay)
    }
    expect(underWayMax).toBeLessThanOrEqual(5000)
    expect(trial.results.length).toBeGreaterThan(5000)
    trial.prober.setTargets([])
    expect(trial.prober.underWay).toBe(0)
  })
})

describe('targets', () => {
  it('that are removed are heard of no more', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], answering('200 OK', 100))
    trial.prober.setTargets([target('a', PROXY)])
    trial.prober.probeNow('a')
    trial.run(50)
    trial.prober.setTargets([])
    trial.run(2000)
    expect(trial.results).toEqual([])
    expect(trial.prober.strayAnswers).toBe(1)
    expect(trial.prober.probeNow('a')).toBe(false)
  })

  it('that stay keep their probe under way and their rhythm', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK', 100))
    trial.prober.setTargets([target('a', PROXY)])
    for (let turn = 0; turn < 100; turn++) {
      trial.run(20)
      trial.prober.setTargets([target('a', PROXY), target(`b${turn}`, '10.0.9.9')])
    }
    expect(proxy.requests.length).toBeGreaterThanOrEqual(3)
    expect(proxy.requests.length).toBeLessThanOrEqual(5)
    expect(trial.outcomes('a').length).toBeGreaterThanOrEqual(3)
  })

  it('whose interval is shortened do not wait out the old one', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    trial.prober.setTargets([target('a', PROXY, { intervalMs: 600_000 })])
    trial.prober.probeNow('a')
    trial.run(10)
    trial.prober.setTargets([target('a', PROXY)])
    trial.run(1000)
    expect(proxy.requests.length).toBeGreaterThanOrEqual(2)
  })

  it('that move are probed at their new address only', () => {
    const trial = new ProberTrial()
    const old = trial.proxy([PROXY], silent)
    const moved = trial.proxy(['10.0.1.2'], answering('200 OK'))
    trial.prober.setTargets([target('a', PROXY)])
    trial.prober.probeNow('a')
    trial.run(10)
    trial.prober.setTargets([target('a', '10.0.1.2')])
    trial.run(1000)
    expect(old.requests.length).toBe(1)
    expect(moved.requests.length).toBeGreaterThanOrEqual(1)
    expect(new Set(trial.outcomes('a'))).toEqual(new Set(['accepted']))
  })

  it('that can’t be probed are named, and harm no other', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], answering('200 OK'))
    const refused = trial.prober.setTargets([
      target('name', 'proxy.example.com'),
      target('uri', PROXY, { requestUri: 'sip:a b\r\nVia: x' }),
      target('from', PROXY, { from: 'sip:<>' }),
      target('good', PROXY),
    ])
    expect(refused).toEqual(['name', 'uri', 'from'])
    trial.run(500)
    expect(trial.results.map(({ id }) => id)).toEqual(['good'])
  })
})

describe('one target', () => {
  it('comes, changes and goes without the others', () => {
    const trial = new ProberTrial()
    const stays = trial.proxy([PROXY], answering('200 OK', 100))
    const changes = trial.proxy(['10.0.1.2', '10.0.1.3'], answering('200 OK'))
    trial.prober.setTargets([target('stays', PROXY)])
    for (let turn = 0; turn < 100; turn++) {
      expect(trial.prober.setTarget(target('changes', `10.0.1.${2 + (turn % 2)}`))).toBe(true)
      if (turn === 10) trial.prober.probeNow('changes')
      trial.run(20)
    }
    expect(changes.requests.length).toBeGreaterThanOrEqual(1)
    trial.prober.dropTarget('changes')
    trial.prober.dropTarget('unknown')
    const before = changes.requests.length
    trial.run(2000)
    expect(changes.requests.length).toBe(before)
    expect(stays.requests.length).toBeGreaterThanOrEqual(6)
    expect(stays.requests.length).toBeLessThanOrEqual(10)
  })

  it('that can’t be probed is refused, and what it was before is probed no more', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK'))
    trial.prober.setTarget(target('a', PROXY))
    expect(trial.prober.setTarget(target('a', 'proxy.example.com'))).toBe(false)
    trial.run(2000)
    expect(proxy.requests.length).toBe(0)
  })
})

describe('probeNow', () => {
  it('probes at once, and not again while that probe is under way', () => {
    const trial = new ProberTrial()
    const proxy = trial.proxy([PROXY], answering('200 OK', 50))
    trial.prober.setTargets([target('a', PROXY, { intervalMs: 60_000 })])
    for (let turn = 0; turn < 10; turn++) expect(trial.prober.probeNow('a')).toBe(true)
    trial.run(10)
    expect(proxy.requests.map(({ atMs }) => atMs)).toEqual([1000])
    trial.run(50)
    trial.prober.probeNow('a')
    trial.run(60)
    expect(trial.outcomes('a')).toEqual(['accepted', 'accepted'])
  })

  it('makes a fast series when each result asks for the next', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], silent)
    trial.prober.setTargets([target('a', PROXY, { intervalMs: 60_000, timeoutMs: 100 })])
    trial.onResult = ({ id }) => void trial.prober.probeNow(id)
    trial.prober.probeNow('a')
    trial.run(450)
    expect(trial.results.map(({ atMs }) => atMs)).toEqual([1100, 1200, 1300, 1400])
  })

  it('may come from a result that takes the target away', () => {
    const trial = new ProberTrial()
    trial.proxy([PROXY], silent)
    trial.prober.setTargets([target('a', PROXY), target('b', PROXY)])
    trial.onResult = () => {
      trial.prober.setTargets([target('b', PROXY)])
      trial.prober.probeNow('a')
      trial.prober.probeNow('b')
    }
    trial.run(2000)
    expect(trial.outcomes('b').length).toBeGreaterThanOrEqual(3)
    expect(trial.outcomes('a').length).toBeLessThanOrEqual(1)
  })
})
