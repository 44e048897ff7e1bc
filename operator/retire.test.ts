import { expect, test } from 'vitest'
import { isoTime } from './iso-time.ts'
import { A, B, KEY, worldWith } from './world.fixture.ts'

test('a balancer that was away while a SipProxy was removed hears of it when it is back', async () => {
  const world = await worldWith([A, B])
  world.report('node-1')
  const { uid, epoch } = world.table()
  world.cluster.unreport('node-1')
  world.cluster.remove(KEY)
  await world.pass(61_000)
  expect(world.tableOrNull()).toBeNull()
  // It serves on from the copy on its disk.
  const problems = [{ reason: 'TableVanished', message: 'the last good table serves on' }]
  world.report('node-1', { uid, epoch, sha256: '0'.repeat(64), problems })
  await world.pass(6_000)
  expect(world.table()).toMatchObject({ uid, epoch: epoch + 1, removed: true, members: [] })
  world.report('node-1')
  await world.pass(1_000)
  expect(world.tableOrNull()).toBeNull()
  world.cluster.report({
    name: 'node-1',
    status: {
      heartbeatAt: isoTime(world.clock.nowMs()),
      version: '0',
      sipProxies: [],
      acceptedKeyIds: [1],
    },
  })
  await world.pass(30_000)
  expect(world.tableOrNull()).toBeNull()
})
