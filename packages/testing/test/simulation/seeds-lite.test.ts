import { testSeeds } from '../simulator/violations.js';

testSeeds(0, 'lite');
