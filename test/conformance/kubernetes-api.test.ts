/**
 * What sipcast relies on from an API server, as one suite over two: the lab's fake one, always, and a real one where
 * SIPCAST_TEST_KUBECONFIG names the kubeconfig of an administrator. So tests over the fake say something about the
 * real.
 */
import type { ApiServer } from '@sipcast/kube'
import { afterAll, beforeAll, describe } from 'vitest'
import { changesConform } from './kubernetes-api/changes.ts'
import { fieldsConform } from './kubernetes-api/fields.ts'
import { objectsConform } from './kubernetes-api/objects.ts'
import { openFake, openReal, type Skin } from './kubernetes-api/skin.ts'

const kubeconfig = process.env['SIPCAST_TEST_KUBECONFIG']

describe('the fake API server', () => conforms(openFake))
if (kubeconfig !== undefined) {
  describe('a real API server', () => conforms(() => openReal(kubeconfig)))
}

function conforms(open: () => Promise<Skin>): void {
  let skin: Skin
  const api = (): ApiServer => skin.api
  beforeAll(async () => {
    skin = await open()
  })
  afterAll(() => skin.close())
  objectsConform(api)
  fieldsConform(api)
  changesConform(api)
}
