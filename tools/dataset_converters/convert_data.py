from mmdet_lite.cli.convert_data import main

if __name__ == "__main__":
    raise SystemExit(main())
