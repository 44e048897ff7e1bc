/** In a whole balancer. The disk: test/conformance/balancer-ports.test.ts. */
import { expect, it } from 'vitest'
import { World } from './balancer.fixture.ts'
import { ORDERS_ID } from './last-orders.ts'

it('orders outlive the process, for a start without those who give them', async () => {
  const wishes = { peers: [{ kind: 'BgpPeer' }], nodeLabels: { rack: '1' } }
  const before = new World()
  before.orders.isMaintenanceWanted = true
  before.wishes = wishes
  await before.start()
  const world = new World()
  world.copies.set(ORDERS_ID, before.copies.get(ORDERS_ID)!)
  Object.assign(world.orders, { isMaintenanceWanted: null })
  await world.start()
  expect(world.events()).toEqual([])
  expect(world.balancer.prove()).toMatchObject({ isLeaving: true, orders: wishes })
  world.wishes = { peers: [], nodeLabels: {} }
  world.orders.isMaintenanceWanted = false
  await world.pass()
  expect(world.balancer.prove()).toMatchObject({ isLeaving: false, orders: world.wishes })
  expect(JSON.parse(world.copies.get(ORDERS_ID)!)).toEqual({
    orders: world.wishes,
    isInMaintenance: false,
  })
})

it.each(['', '{', '{"orders":{"peers":1},"isInMaintenance":true}', '{"isInMaintenance":true}'])(
  'orders that were kept as %j are none, and nobody knows of maintenance',
  async (text) => {
    const world = new World()
    world.copies.set(ORDERS_ID, text)
    world.orders.isMaintenanceWanted = null
    await world.start()
    expect(world.balancer.prove()).toMatchObject({ isLeaving: null, orders: null })
    expect(world.copies.get(ORDERS_ID)).toBe(text)
    void world.balancer.stop()
    expect(world.balancer.prove().isLeaving).toBe(true)
  },
)
