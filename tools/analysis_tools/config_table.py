from mmdet_lite.cli.config_table import main

if __name__ == "__main__":
    raise SystemExit(main())
