DROP TABLE receipt_templates;
