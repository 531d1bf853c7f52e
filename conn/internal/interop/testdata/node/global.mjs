// The WebSocket of Node itself as an actor.
import { actor } from '../actor.mjs'
import { emit, obey } from './lines.mjs'

obey(actor(emit))
