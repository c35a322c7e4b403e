DROP TABLE clock_readings;
