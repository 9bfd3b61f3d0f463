import { describe } from 'vitest';
import { keepsToProtocol } from './client/keeps-to-protocol.js';

describe('our client keeps to PROTOCOL.md', () => keepsToProtocol('holdfast'));
