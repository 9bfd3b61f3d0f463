import { testSeeds } from '../simulator/violations.js';

testSeeds(1);
